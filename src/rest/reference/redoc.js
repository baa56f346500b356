// Before ReDoc, which shows its maker's logo from a server on the internet and has no option against it. An image that cannot be
// read is left out.
const image = HTMLImageElement.prototype;
const { get, set } = Object.getOwnPropertyDescriptor(image, "src");
const ours = (address) => (/^https?:/.test(address) ? "data:," : address);
Object.defineProperty(image, "src", {
  get,
  set(address) {
    set.call(this, ours(address));
  },
});
image.setAttribute = function (name, value) {
  Element.prototype.setAttribute.call(this, name, name === "src" ? ours(value) : value);
};
