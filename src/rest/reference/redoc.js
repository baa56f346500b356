// Before ReDoc, which shows its maker's logo from a server on the internet and has no option against it. An image that cannot be
// read is left out.
const setAttribute = Element.prototype.setAttribute;
Element.prototype.setAttribute = function (name, value) {
  const elsewhere = this instanceof HTMLImageElement && name === "src" && /^https?:/.test(value);
  setAttribute.call(this, name, elsewhere ? "data:," : value);
};
