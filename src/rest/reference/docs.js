// Beside the page, since its policy lets no inline script run.
SwaggerUIBundle({
  url: "/openapi.json",
  dom_id: "#reference",
  deepLinking: true,
  // The default asks a server on the internet.
  validatorUrl: null,
});
