"""What a browser without a cache transfers for the first page: the document, and all it names, all over."""

import re
from html.parser import HTMLParser
from urllib.parse import urldefrag, urljoin

import client

BROWSER = {"accept-encoding": "br, gzip", "accept": "text/html"}
RELATIONS = {"stylesheet", "modulepreload", "preload", "icon"}
# Imports that load with their module; those in a function's body load when it runs.
STATIC_IMPORT = re.compile(r"""(?:^|[;\n])\s*(?:import|export)\s*(?:[\w*{}\s,$]*\bfrom\s*)?["'](\.{0,2}/[^"']+)["']""")
STYLE_URL = re.compile(r"""url\(\s*["']?(?!data:)([^"')]+)["']?\s*\)""")
# The arguments of the script that starts hydration: root, folder, module, WebAssembly.
HYDRATION = re.compile(r'\("([^"]*)", "([^"]*)", "([^"]+)", "([^"]+)", (?:true|false)\)')


# Bytes from which on a file is listed by its name.
SHOWN = 2000


class Document(HTMLParser):
    """Addresses that a document makes a browser load at once."""

    def __init__(self, text):
        super().__init__()
        self.addresses = []
        self.feed(text)
        for root, folder, module, wasm in HYDRATION.findall(text):
            self.addresses += [f"{root}/{folder}/{module}.js", f"{root}/{folder}/{wasm}.wasm"]

    def handle_starttag(self, tag, attributes):
        named = dict(attributes)
        if tag == "link" and RELATIONS & set((named.get("rel") or "").split()):
            self.addresses.append(named.get("href"))
        elif tag in ("script", "img"):
            self.addresses.append(named.get("src"))
        elif tag == "use":
            self.addresses.append(named.get("href"))


def fetch(address, path):
    """Bytes of the body and of the headers as transferred, how the body was encoded, and the text for what names others."""
    status, headers, body = client.get(address, path, BROWSER)
    if status != 200:
        raise client.Refused(f"GET {path}: {status}")
    # No brotli in the standard library: what is read is asked for a second time, plain.
    kind = headers.get("content-type", "")
    text = client.get(address, path)[2].decode() if re.search("html|javascript|css", kind) else ""
    return (len(body), len(headers.as_bytes()), headers.get("content-encoding", "none")), kind, text


def named_by(path, kind, text):
    if "html" in kind:
        found = Document(text).addresses
    elif "javascript" in kind:
        found = STATIC_IMPORT.findall(text)
    else:
        found = STYLE_URL.findall(text)
    return [urldefrag(urljoin(path, address)).url for address in found if address and "://" not in address]


def measure(report, address):
    waiting, seen, files = ["/"], {"/"}, []
    while waiting:
        path = waiting.pop(0)
        sizes, kind, text = fetch(address, path)
        files.append((*sizes, path))
        if path == "/" and "<h1" not in text:
            report.fail("the document of / has no heading: its content is not visible before WebAssembly runs")
        for other in named_by(path, kind, text):
            if other not in seen:
                seen.add(other)
                waiting.append(other)
    total, heads = sum(file[0] for file in files), sum(file[1] for file in files)
    beside = f"{len(files)} files, their headers {heads / 1000:.0f} KB more; the document holds the content"
    report.add("first load of /, all bytes", total / 1000, "KB", at_most=280, beside=beside)
    files.sort(reverse=True)
    large, small = ([file for file in files if (file[0] >= SHOWN) == is_large] for is_large in (True, False))
    lines = [f"- {size / 1000:.1f} KB {encoding} `{path}`" for size, _, encoding, path in large]
    lines.append(f"- {sum(file[0] for file in small) / 1000:.1f} KB in {len(small)} smaller ones")
    report.note("First load of `/`, bodies as transferred:\n\n" + "\n".join(lines))
