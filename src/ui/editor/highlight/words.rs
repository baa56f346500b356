//! Names that Python or everyone who writes it knows.

pub(super) const KEYWORDS: [&str; 32] = [
    "and", "as", "assert", "async", "await", "break", "class", "continue", "def", "del", "elif",
    "else", "except", "finally", "for", "from", "global", "if", "import", "in", "is", "lambda",
    "nonlocal", "not", "or", "pass", "raise", "return", "try", "while", "with", "yield",
];
pub(super) const CONSTANTS: [&str; 8] = [
    "True",
    "False",
    "None",
    "self",
    "cls",
    "NotImplemented",
    "Ellipsis",
    "__debug__",
];
pub(super) const TYPES: [&str; 17] = [
    "bool",
    "bytearray",
    "bytes",
    "complex",
    "dict",
    "float",
    "frozenset",
    "int",
    "list",
    "memoryview",
    "object",
    "property",
    "range",
    "set",
    "str",
    "tuple",
    "type",
];
