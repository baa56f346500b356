//! Imports of a module, and which modules exist in the guest: CPython 3.12 for WASI as componentize-py 0.17.2 brings it, measured by importing each one.

use ruff_python_ast::{ExceptHandler, Expr, Stmt, StmtTry};
use ruff_text_size::{Ranged, TextSize};
use std::collections::BTreeSet;

use crate::port::builder::SourceTree;

/// The guest's standard library: what imports there.
const STANDARD: &str = "__future__ _abc _aix_support _ast _asyncio _bisect _blake2 _codecs _codecs_cn _codecs_hk _codecs_iso2022 _codecs_jp _codecs_kr \
    _codecs_tw _collections _collections_abc _compat_pickle _compression _contextvars _crypt _csv _datetime _decimal _elementtree \
    _frozen_importlib _frozen_importlib_external _functools _heapq _imp _io _json _locale _lsprof _markupbase _md5 _multibytecodec \
    _opcode _operator _osx_support _pickle _py_abc _pydatetime _pydecimal _pyio _pylong _queue _random _sha1 _sha2 _sha3 _signal \
    _sitebuiltins _socket _sre _stat _statistics _string _strptime _struct _symtable _thread _threading_local _tokenize _tracemalloc \
    _typing _warnings _weakref _weakrefset _zoneinfo abc aifc argparse array ast asyncio atexit audioop base64 bdb binascii bisect \
    builtins cProfile calendar cgi cgitb chunk cmath cmd code codecs codeop collections colorsys compileall componentize_py_runtime concurrent configparser \
    contextlib contextvars copy copyreg crypt csv dataclasses datetime dbm decimal difflib dis doctest email encodings ensurepip enum \
    errno faulthandler filecmp fileinput fnmatch fractions ftplib functools gc genericpath getopt getpass gettext glob graphlib \
    hashlib heapq hmac html http imaplib imghdr importlib inspect io ipaddress itertools json keyword lib2to3 linecache locale \
    logging mailbox mailcap marshal math mimetypes modulefinder multiprocessing netrc nntplib ntpath nturl2path numbers opcode \
    operator optparse os pathlib pdb pickle pickletools pipes pkgutil platform plistlib poplib posix posixpath pprint profile pstats \
    py_compile pyclbr pydoc pydoc_data pyexpat queue quopri random re reprlib rlcompleter runpy sched secrets select selectors shelve \
    shlex shutil signal site smtplib sndhdr socket socketserver sre_compile sre_constants sre_parse stat statistics string stringprep \
    struct subprocess sunau symtable sys sysconfig tabnanny tarfile telnetlib tempfile textwrap this threading time timeit token tokenize \
    tomllib trace traceback tracemalloc turtledemo types typing unicodedata unittest urllib uu uuid venv warnings wave weakref \
    webbrowser wsgiref xdrlib xml xmlrpc zipapp zipfile zipimport zoneinfo";

/// Submodules of what is there that do not import, because they need what is not.
const BROKEN_SUBMODULES: &[&str] = &[
    "concurrent.futures.process",
    "multiprocessing.connection",
    "multiprocessing.pool",
    "multiprocessing.shared_memory",
    "dbm.gnu",
    "dbm.ndbm",
    "encodings.zlib_codec",
    "encodings.bz2_codec",
    "spin_sdk.sqlite",
];

const SDK: &[&str] = &[
    "http",
    "key_value",
    "llm",
    "mqtt",
    "mysql",
    "postgres",
    "redis",
    "variables",
    "wit",
];

/// Why a module that people reach for is not there, and what to use.
const HINTS: &[(&str, &str)] = &[
    (
        "requests httpx aiohttp urllib3 httplib2 pycurl",
        "Use spin_sdk.http.send(Request(\"GET\", url, {}, None)), and allow the host in the function's settings.",
    ),
    (
        "sqlite3 spin_sdk.sqlite sqlalchemy",
        "Use spin_sdk.key_value, which keeps values between calls.",
    ),
    (
        "ssl",
        "spin_sdk.http.send speaks HTTPS by itself; no ssl module is needed.",
    ),
    (
        "zlib gzip bz2 lzma encodings.zlib_codec encodings.bz2_codec zstandard brotli",
        "The guest's Python has no compression; leave bodies uncompressed.",
    ),
    ("redis", "Use spin_sdk.redis or spin_sdk.key_value."),
    ("psycopg2 psycopg asyncpg", "Use spin_sdk.postgres."),
    ("pymysql mysql MySQLdb", "Use spin_sdk.mysql."),
    (
        "numpy pandas scipy matplotlib PIL cv2 torch tensorflow sklearn lxml cryptography grpc pydantic_core",
        "It needs native code, which cannot run in WebAssembly here. Use the standard library or a pure-Python package.",
    ),
    (
        "flask fastapi django starlette uvicorn gunicorn tornado bottle",
        "A function needs no web server: return a Response from handle_request.",
    ),
    (
        "boto3 botocore",
        "Call the service's HTTP interface with spin_sdk.http.send.",
    ),
    (
        "multiprocessing.pool multiprocessing.connection multiprocessing.shared_memory concurrent.futures.process",
        "A function cannot start processes: do the work in handle_request.",
    ),
    (
        "ctypes cffi mmap fcntl resource termios pwd grp pty tty readline curses syslog",
        "It belongs to an operating system, and a function runs without one.",
    ),
    (
        "tkinter turtle",
        "A function has no screen: return a Response from handle_request.",
    ),
    (
        "distutils imp asynchat asyncore smtpd",
        "Python 3.12 no longer has it.",
    ),
];

/// Modules that import but whose purpose cannot be served.
const USELESS: &[(&str, &str)] = &[
    ("subprocess", "A function cannot start processes."),
    ("multiprocessing", "A function cannot start processes."),
    (
        "socketserver",
        "A function cannot listen; return a Response from handle_request.",
    ),
    (
        "http.server",
        "A function cannot listen; return a Response from handle_request.",
    ),
    (
        "urllib.request",
        "Sockets cannot be opened. Use spin_sdk.http.send.",
    ),
    (
        "http.client",
        "Sockets cannot be opened. Use spin_sdk.http.send.",
    ),
    (
        "smtplib",
        "Sockets cannot be opened. Call a mail service over HTTP with spin_sdk.http.send.",
    ),
    (
        "ftplib",
        "Sockets cannot be opened. Use spin_sdk.http.send.",
    ),
    (
        "xmlrpc.client",
        "Sockets cannot be opened. Use spin_sdk.http.send.",
    ),
];

/// When an import runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum When {
    /// While the module loads, in any case.
    Always,
    /// While the module loads, under a condition.
    Perhaps,
    /// In a function: at request time.
    Later,
}

#[derive(Clone, Debug)]
pub(crate) struct Import {
    /// Absolute and dotted, as in `urllib.parse`.
    pub(crate) module: String,
    /// For `from m import a, b`: the names, which may be modules too.
    pub(crate) names: Vec<String>,
    pub(crate) when: When,
    pub(crate) at: TextSize,
}

/// What there is besides the guest's own modules.
#[derive(Clone, Debug, Default)]
pub(crate) struct Surroundings {
    /// Modules of the source: `app`, `pkg`, `pkg.sub`.
    pub(crate) own: BTreeSet<String>,
    /// Top-level modules that the requirements installed; `None` while they are not installed and any name may come from them.
    pub(crate) installed: Option<BTreeSet<String>>,
    /// One module was looked at without the rest of its source, which may hold what it imports.
    pub(crate) alone: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Presence {
    Present,
    Missing,
    /// Cannot be told yet.
    Unknown,
}

impl Surroundings {
    /// Of a source whose requirements are not yet installed.
    pub(crate) fn of_tree(tree: &SourceTree) -> Self {
        let files = tree.files.keys().map(String::as_str);
        Self::of_files(files, !tree.requirements.is_empty())
    }

    /// Of a source of these files, `requirements` not yet installed.
    pub(crate) fn of_files<'a>(
        files: impl Iterator<Item = &'a str>,
        has_requirements: bool,
    ) -> Self {
        let mut own = BTreeSet::new();
        for file in files {
            let Some(path) = file.strip_suffix(".py") else {
                continue;
            };
            let path = path.strip_suffix("/__init__").unwrap_or(path);
            let mut dotted = String::new();
            for part in path.split('/') {
                if !dotted.is_empty() {
                    dotted.push('.');
                }
                dotted.push_str(part);
                own.insert(dotted.clone());
            }
        }
        Self {
            own,
            installed: if has_requirements {
                None
            } else {
                Some(BTreeSet::new())
            },
            alone: false,
        }
    }

    pub(crate) fn presence(&self, module: &str) -> Presence {
        let top = top_level(module);
        let in_sdk = module
            .strip_prefix("spin_sdk.")
            .is_none_or(|rest| SDK.contains(&top_level(rest)));
        if BROKEN_SUBMODULES.contains(&module) {
            return Presence::Missing;
        }
        if (top == "spin_sdk" && in_sdk) || is_standard(top) {
            return Presence::Present;
        }
        if self.own.contains(top) {
            return if self.own.contains(module) {
                Presence::Present
            } else {
                Presence::Missing
            };
        }
        match &self.installed {
            None if top != "spin_sdk" => Presence::Unknown,
            Some(installed) if installed.contains(top) => Presence::Present,
            _ => Presence::Missing,
        }
    }
}

pub(crate) fn top_level(module: &str) -> &str {
    module.split('.').next().unwrap_or(module)
}

/// Whether the guest's own library has a module of this name: it wins over a file of the source.
pub(crate) fn is_standard(top: &str) -> bool {
    STANDARD.split_whitespace().any(|name| name == top)
}

pub(crate) fn hint(module: &str) -> Option<&'static str> {
    let named = |name: &str| {
        HINTS
            .iter()
            .find(|(names, _)| names.split_whitespace().any(|known| known == name))
            .map(|(_, hint)| *hint)
    };
    named(module).or_else(|| named(top_level(module)))
}

pub(crate) fn useless(module: &str) -> Option<&'static str> {
    USELESS
        .iter()
        .find(|(name, _)| *name == module)
        .map(|(_, hint)| *hint)
}

/// Every import of a module that is not guarded by `except ImportError` or meant for type checkers. `package` is what a relative import starts from.
pub(crate) fn collect(body: &[Stmt], package: &str) -> Vec<Import> {
    let mut found = Vec::new();
    walk(body, When::Always, package, &mut found);
    found
}

fn walk(body: &[Stmt], when: When, package: &str, found: &mut Vec<Import>) {
    let perhaps = if when == When::Later {
        When::Later
    } else {
        When::Perhaps
    };
    for statement in body {
        match statement {
            Stmt::Import(import) => found.extend(import.names.iter().map(|alias| Import {
                module: alias.name.to_string(),
                names: Vec::new(),
                when,
                at: alias.range().start(),
            })),
            Stmt::ImportFrom(import) => {
                let from = import
                    .module
                    .as_ref()
                    .map(ToString::to_string)
                    .unwrap_or_default();
                let Some(module) = absolute(&from, import.level, package) else {
                    continue;
                };
                let names = import
                    .names
                    .iter()
                    .map(|alias| alias.name.to_string())
                    .collect();
                found.push(Import {
                    module,
                    names,
                    when,
                    at: import.range.start(),
                });
            }
            Stmt::FunctionDef(function) => walk(&function.body, When::Later, package, found),
            Stmt::ClassDef(class) => walk(&class.body, when, package, found),
            Stmt::If(branch) => {
                if !is_type_checking(&branch.test) {
                    walk(&branch.body, perhaps, package, found);
                }
                branch
                    .elif_else_clauses
                    .iter()
                    .for_each(|clause| walk(&clause.body, perhaps, package, found));
            }
            Stmt::For(repeat) => [&repeat.body, &repeat.orelse]
                .into_iter()
                .for_each(|body| walk(body, perhaps, package, found)),
            Stmt::While(repeat) => [&repeat.body, &repeat.orelse]
                .into_iter()
                .for_each(|body| walk(body, perhaps, package, found)),
            Stmt::With(with) => walk(&with.body, when, package, found),
            Stmt::Match(choice) => choice
                .cases
                .iter()
                .for_each(|case| walk(&case.body, perhaps, package, found)),
            Stmt::Try(attempt) => {
                if !catches_import_errors(attempt) {
                    walk(&attempt.body, when, package, found);
                }
                for ExceptHandler::ExceptHandler(handler) in &attempt.handlers {
                    walk(&handler.body, perhaps, package, found);
                }
                walk(&attempt.orelse, perhaps, package, found);
                walk(&attempt.finalbody, when, package, found);
            }
            _ => {}
        }
    }
}

/// `from ..a import b` within `package`, as an absolute name; `None` when it leaves the source.
fn absolute(module: &str, level: u32, package: &str) -> Option<String> {
    if level == 0 {
        return Some(module.to_owned());
    }
    let parts: Vec<&str> = package.split('.').filter(|part| !part.is_empty()).collect();
    let kept = parts
        .len()
        .checked_sub(level as usize - 1)
        .filter(|kept| *kept > 0)?;
    let mut parts = parts[..kept].to_vec();
    if !module.is_empty() {
        parts.push(module);
    }
    Some(parts.join("."))
}

fn is_type_checking(test: &Expr) -> bool {
    match test {
        Expr::Name(name) => name.id.as_str() == "TYPE_CHECKING",
        Expr::Attribute(attribute) => attribute.attr.as_str() == "TYPE_CHECKING",
        _ => false,
    }
}

fn catches_import_errors(attempt: &StmtTry) -> bool {
    let names = |expr: &Expr| matches!(expr, Expr::Name(name) if matches!(name.id.as_str(), "ImportError" | "ModuleNotFoundError" | "Exception" | "BaseException"));
    attempt
        .handlers
        .iter()
        .any(
            |ExceptHandler::ExceptHandler(handler)| match handler.type_.as_deref() {
                None => true,
                Some(Expr::Tuple(tuple)) => tuple.elts.iter().any(names),
                Some(expr) => names(expr),
            },
        )
}
