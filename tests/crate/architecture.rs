//! The architecture of the crate: imports go one way, files have no circular imports and are short, `unsafe` stays in
//! the kernel.
//!
//! The imports of a file are parsed from its text: `use` trees, grouped or not, and paths in code, starting with
//! `crate`, `super`, `self` or a child module. A name that a `mod.rs` re-exports counts as an import of the file that
//! defines it; `use super::*` counts only as an import of the parent.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

/// A module imports only from rows above its own and from itself.
const ORDER: &[&[&str]] = &[
    &["error"],
    &["config", "state"],
    &["scalar", "rng", "tensor", "axis"],
    &["hash"],
    &["distributed"],
    &["kernel", "regularizer", "constraint", "initializer"],
    &["activation"],
    &["param", "samples"],
    &["files"],
    &["layer", "loss", "optimizer", "data"],
    &["metric"],
    &["model"],
    &["save"],
    &["callback"],
    &["diagnosis"],
    &["training"],
    &["inspect"],
    &["investigation"],
    &["selection"],
    &["plot", "report"],
    &["prelude"],
    &["guide"],
];

const LONGEST: usize = 500;

struct File {
    path: String,
    /// `["layer", "core", "dense"]`; empty for `lib.rs`.
    module: Vec<String>,
    lines: usize,
    /// The tokens without comments, strings and code that is compiled only for tests.
    tokens: Vec<String>,
    uses: Vec<Use>,
}

/// A path in a file.
struct Use {
    path: Vec<String>,
    /// The name under which a `pub use` exports it; `*` for all names.
    exported: Option<String>,
}

fn tokens(text: &str) -> Vec<String> {
    let chars: Vec<char> = text.chars().collect();
    let (mut found, mut i) = (Vec::new(), 0);
    let word = |c: char| c.is_alphanumeric() || c == '_';
    while i < chars.len() {
        let rest = &chars[i..];
        let next = rest.get(1).copied().unwrap_or(' ');
        match rest[0] {
            '/' if next == '/' => i += rest.iter().position(|&c| c == '\n').unwrap_or(rest.len()),
            '/' if next == '*' => {
                i +=
                    2 + rest.windows(2).skip(2).position(|pair| pair == ['*', '/']).unwrap_or(rest.len()) + 2;
            }
            'r' if next == '#' && rest.get(2) == Some(&'"') => {
                i +=
                    3 + rest.windows(2).skip(3).position(|pair| pair == ['"', '#']).unwrap_or(rest.len()) + 2;
            }
            '"' => {
                i += 1;
                while i < chars.len() && chars[i] != '"' {
                    i += if chars[i] == '\\' { 2 } else { 1 };
                }
                i += 1;
            }
            '\'' if next == '\\' => i += 3 + rest.iter().skip(3).position(|&c| c == '\'').unwrap_or(0),
            '\'' if rest.get(2) == Some(&'\'') => i += 3,
            ':' if next == ':' => {
                found.push("::".into());
                i += 2;
            }
            c if word(c) => {
                let end = rest.iter().position(|&c| !word(c)).unwrap_or(rest.len());
                found.push(rest[..end].iter().collect());
                i += end;
            }
            c => {
                if !c.is_whitespace() {
                    found.push(c.to_string());
                }
                i += 1;
            }
        }
    }
    found
}

/// The end of the item that starts at `at`: after its `;`, or after the brace that closes its body.
fn end_of_item(tokens: &[String], at: usize) -> usize {
    let mut depth = 0;
    for (i, token) in tokens.iter().enumerate().skip(at) {
        match &**token {
            "{" | "(" | "[" => depth += 1,
            "}" | ")" | "]" => {
                depth -= 1;
                if depth == 0 && token == "}" {
                    return i + 1;
                }
            }
            ";" if depth == 0 => return i + 1,
            _ => {}
        }
    }
    tokens.len()
}

/// Removes items with `#[cfg(test)]`, and returns the names of the modules among them.
fn without_tests(tokens: Vec<String>) -> (Vec<String>, Vec<String>) {
    let (mut kept, mut modules, mut i) = (Vec::new(), Vec::new(), 0);
    while i < tokens.len() {
        if tokens[i..].starts_with(&["#", "[", "cfg", "(", "test", ")", "]"].map(String::from)) {
            let end = end_of_item(&tokens, i + 7);
            let item = &tokens[i + 7..end];
            if let Some(at) = item.iter().position(|token| token == "mod").filter(|&at| at < 2) {
                modules.push(item[at + 1].clone());
            }
            i = end;
        } else {
            kept.push(tokens[i].clone());
            i += 1;
        }
    }
    (kept, modules)
}

/// The paths of the `use` tree that starts at `i`, up to its `;`, `,` or `}`.
fn tree(tokens: &[String], i: &mut usize, before: &[String], found: &mut Vec<(Vec<String>, String)>) {
    let mut path = before.to_vec();
    while *i < tokens.len() {
        match &*tokens[*i] {
            "{" => {
                *i += 1;
                while tokens[*i] != "}" {
                    assert_ne!(tokens[*i], ";", "not an import: {path:?}");
                    tree(tokens, i, &path, found);
                    *i += usize::from(tokens[*i] == ",");
                }
                *i += 1;
                return;
            }
            "," | ";" | "}" => break,
            "::" => *i += 1,
            "as" => {
                found.push((path, tokens[*i + 1].clone()));
                *i += 2;
                return;
            }
            // `self` within braces stands for the path before them.
            "self" if !path.is_empty() => *i += 1,
            name => {
                path.push(name.into());
                *i += 1;
            }
        }
    }
    let name = path.last().cloned().unwrap_or_default();
    found.push((path, name));
}

fn uses(tokens: &[String]) -> Vec<Use> {
    let (mut found, mut i) = (Vec::new(), 0);
    while i < tokens.len() {
        // `use<..>` in a bound captures lifetimes and imports nothing.
        if tokens[i] == "use" && tokens.get(i + 1).is_some_and(|next| next != "<") {
            let public = i > 0 && (tokens[i - 1] == "pub" || tokens[i - 1] == ")");
            let mut paths = Vec::new();
            i += 1;
            tree(tokens, &mut i, &[], &mut paths);
            found
                .extend(paths.into_iter().map(|(path, name)| Use { path, exported: public.then_some(name) }));
        } else if tokens[i..].starts_with(&["pub", "(", "in"].map(String::from)) {
            // A visibility imports nothing.
            i += tokens[i..].iter().position(|token| token == ")").unwrap_or(1);
        } else if tokens.get(i + 1).is_some_and(|next| next == "::") && (i == 0 || tokens[i - 1] != "::") {
            let mut path = vec![tokens[i].clone()];
            while tokens.get(i + 1).is_some_and(|next| next == "::") && i + 2 < tokens.len() {
                path.push(tokens[i + 2].clone());
                i += 2;
            }
            found.push(Use { path, exported: None });
            i += 1;
        } else {
            i += 1;
        }
    }
    found
}

struct Crate {
    files: Vec<File>,
    index: BTreeMap<Vec<String>, usize>,
}

impl Crate {
    /// Parses sources, given as paths below `src` and texts.
    fn new(sources: Vec<(String, String)>) -> Self {
        let (mut files, mut tests) = (Vec::new(), BTreeSet::new());
        for (path, text) in sources {
            let parts = path.trim_end_matches(".rs").split('/').map(String::from);
            let module: Vec<String> = parts.filter(|part| part != "mod" && part != "lib").collect();
            let (tokens, test_modules) = without_tests(tokens(&text));
            tests.extend(test_modules.into_iter().map(|name| [&module[..], &[name]].concat()));
            files.push(File { lines: text.lines().count(), uses: uses(&tokens), path, module, tokens });
        }
        files.retain(|file| !tests.iter().any(|test| file.module.starts_with(test)));
        let index = files.iter().enumerate().map(|(i, file)| (file.module.clone(), i)).collect();
        Crate { files, index }
    }

    fn read() -> Self {
        fn walk(folder: &Path, root: &Path, found: &mut Vec<(String, String)>) {
            for entry in fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    walk(&path, root, found);
                } else if path.extension().is_some_and(|end| end == "rs") {
                    let name = path.strip_prefix(root).unwrap().to_str().unwrap().replace('\\', "/");
                    found.push((name, fs::read_to_string(&path).unwrap()));
                }
            }
        }
        let (root, mut found) = (Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), Vec::new());
        walk(&root, &root, &mut found);
        found.sort();
        Crate::new(found)
    }

    /// Converts a path in a file to an absolute path, if it belongs to this crate.
    fn absolute(&self, file: &File, path: &[String]) -> Option<Vec<String>> {
        let mut base = file.module.clone();
        let mut rest = path;
        match &*path[0] {
            "crate" => (base, rest) = (Vec::new(), &path[1..]),
            "self" => rest = &path[1..],
            "super" => {
                while rest.first().is_some_and(|part| part == "super") {
                    base.pop()?;
                    rest = &rest[1..];
                }
            }
            child => {
                self.index.get(&[&base[..], &[child.to_string()]].concat())?;
            }
        }
        base.extend_from_slice(rest);
        // `crate::Sequential` is what `lib.rs` re-exports under this name.
        let module = base.first().is_none_or(|first| self.index.contains_key(std::slice::from_ref(first)));
        let mut exports = self.files[self.index[&Vec::new()]].uses.iter();
        match exports.find(|found| !module && found.exported.as_ref() == base.first()) {
            Some(found) => Some([&found.path, &base[1..]].concat()),
            None => Some(base),
        }
    }

    /// The file that defines the item with an absolute path.
    fn definition(&self, path: &[String], depth: usize) -> Option<usize> {
        let length = (0..=path.len()).rev().find(|&n| self.index.contains_key(&path[..n]))?;
        let at = self.index[&path[..length]];
        let (file, Some(name)) = (&self.files[at], path.get(length)) else { return Some(at) };
        let kinds = ["fn", "struct", "trait", "enum", "type", "const", "static", "union"];
        let defines =
            |file: &File| file.tokens.windows(2).any(|pair| kinds.contains(&&*pair[0]) && pair[1] == *name);
        if depth == 0 || defines(file) {
            return Some(at);
        }
        for exported in &file.uses {
            let target = match exported.exported.as_deref() {
                Some("*") => exported.path[..exported.path.len() - 1].to_vec(),
                Some(found) if found == name => exported.path.clone(),
                _ => continue,
            };
            let Some(mut target) = self.absolute(file, &target) else { continue };
            if exported.exported.as_deref() != Some("*") {
                return self.definition(&target, depth - 1);
            }
            target.push(name.clone());
            if let Some(found) = self.definition(&target, depth - 1).filter(|&i| defines(&self.files[i])) {
                return Some(found);
            }
        }
        Some(at)
    }

    /// Imports of a module from its own row or a row below.
    fn against_the_order(&self, order: &[&[&str]]) -> Vec<String> {
        let rank = |module: &str| order.iter().position(|row| row.contains(&module));
        let mut faults = BTreeSet::new();
        for file in &self.files {
            let Some(from) = file.module.first() else { continue };
            for used in &file.uses {
                let Some(path) = self.absolute(file, &used.path) else { continue };
                let Some(to) = path.first().filter(|to| *to != from) else { continue };
                if rank(to).zip(rank(from)).is_some_and(|(to, from)| to >= from) {
                    faults.insert(format!("{} imports {to}", file.path));
                }
            }
        }
        faults.into_iter().collect()
    }

    /// The circles of files, in each of which every file reaches every other by imports.
    fn circles(&self) -> Vec<Vec<&str>> {
        let mut edges = vec![BTreeSet::new(); self.files.len()];
        for (i, file) in self.files.iter().enumerate().filter(|(_, file)| !file.module.is_empty()) {
            for used in file.uses.iter().filter(|used| used.exported.is_none()) {
                let Some(path) = self.absolute(file, &used.path) else { continue };
                let to = self.definition(&path, 4).filter(|&to| to != i && !self.files[to].module.is_empty());
                edges[i].extend(to);
            }
        }
        let reach: Vec<BTreeSet<usize>> = (0..edges.len())
            .map(|start| {
                let (mut seen, mut open) = (BTreeSet::new(), vec![start]);
                while let Some(at) = open.pop() {
                    open.extend(edges[at].iter().filter(|&&to| seen.insert(to)));
                }
                seen
            })
            .collect();
        let mut circles: Vec<Vec<&str>> = Vec::new();
        let mut done = BTreeSet::new();
        for i in 0..reach.len() {
            let circle: Vec<usize> = reach[i].iter().copied().filter(|&j| reach[j].contains(&i)).collect();
            if circle.len() > 1 && done.insert(circle.clone()) {
                circles.push(circle.iter().map(|&j| &*self.files[j].path).collect());
            }
        }
        circles
    }

    fn too_long(&self) -> Vec<&str> {
        self.files.iter().filter(|file| file.lines > LONGEST).map(|file| &*file.path).collect()
    }

    fn unsafe_outside_the_kernel(&self) -> Vec<&str> {
        let outside = self.files.iter().filter(|file| file.module.first().is_none_or(|top| top != "kernel"));
        outside.filter(|file| file.tokens.iter().any(|t| t == "unsafe")).map(|file| &*file.path).collect()
    }

    fn denies_unsafe_code(&self) -> bool {
        let line = ["#", "!", "[", "deny", "(", "unsafe_code", ")", "]"].map(String::from);
        self.files[self.index[&Vec::new()]].tokens.windows(line.len()).any(|found| found == line)
    }

    fn printing(&self) -> Vec<&str> {
        let prints = |file: &&File| {
            file.tokens.windows(2).any(|pair| {
                ["println", "print", "eprintln", "eprint", "dbg"].contains(&&*pair[0]) && pair[1] == "!"
            })
        };
        self.files.iter().filter(prints).map(|file| &*file.path).collect()
    }
}

#[test]
fn imports_follow_the_order_of_modules() {
    let faults = Crate::read().against_the_order(ORDER);
    assert!(faults.is_empty(), "{faults:#?}");
}

#[test]
fn contributing_states_the_order() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("CONTRIBUTING.md");
    let text = fs::read_to_string(path).unwrap();
    let numbered = |line: &&str| line.split('|').nth(1).is_some_and(|cell| cell.trim().parse::<u8>().is_ok());
    let stated: Vec<Vec<&str>> =
        text.lines().filter(numbered).map(|row| row.split('`').skip(1).step_by(2).collect()).collect();
    assert_eq!(stated, ORDER);
}

#[test]
fn every_module_is_in_the_order() {
    for file in Crate::read().files {
        let Some(module) = file.module.first() else { continue };
        let known = ORDER.iter().any(|row| row.contains(&&**module));
        assert!(known, "{} has no place in the order", file.path);
    }
}

#[test]
fn there_are_no_circular_imports() {
    let all = Crate::read();
    let circles = all.circles();
    assert!(circles.is_empty(), "{circles:#?}");
}

#[test]
fn no_file_is_longer_than_500_lines() {
    assert_eq!(Crate::read().too_long(), [""; 0]);
}

#[test]
fn unsafe_stays_in_the_kernel() {
    let all = Crate::read();
    assert_eq!(all.unsafe_outside_the_kernel(), [""; 0]);
    assert!(all.denies_unsafe_code(), "lib.rs has no #![deny(unsafe_code)]");
}

#[test]
fn library_code_does_not_print() {
    assert_eq!(Crate::read().printing(), [""; 0]);
}

fn small(files: &[(&str, &str)]) -> Crate {
    Crate::new(files.iter().map(|(path, text)| (path.to_string(), text.to_string())).collect())
}

#[test]
fn all_forms_of_imports_are_detected() {
    let order: &[&[&str]] = &[&["low", "beside"], &["high"]];
    let check = |text: &str, faulty: bool| {
        let files = [
            ("lib.rs", "pub use high::{A, deep::B as Renamed};"),
            ("low/mod.rs", "mod part;"),
            ("low/part.rs", text),
            ("beside.rs", ""),
            ("high.rs", ""),
        ];
        assert_eq!(!small(&files).against_the_order(order).is_empty(), faulty, "{text}");
    };
    check("use crate::high::A;", true);
    check("use crate::{low::B, high::A};", true);
    check("use crate::{low, beside::{self, C}};", true);
    check("fn f() { crate::high::a() }", true);
    check("use crate::A;", true);
    check("fn f() -> crate::Renamed { g() }", true);
    check("use super::super::high::A;", true);
    check("fn f() { super::super::beside::a() }", true);
    check("use crate::low::B; use super::C;", false);
    check("// use crate::high::A;\n#[cfg(test)] mod tests { use crate::high::A; }", false);
    check("#[cfg(test)] use crate::high::A; use crate::high::B;", true);
    check("fn f() -> impl Iterator + use<F> { a(); b() } use crate::high::A;", true);
    check("pub(in crate::high) struct A;", false);
    check("const TEXT: &str = \"crate::high\";", false);
}

#[test]
fn circles_through_re_exports_are_detected() {
    let circles = |a: &str, b: &str| {
        let files =
            [("lib.rs", ""), ("m/mod.rs", "pub use a::A; pub use b::*;"), ("m/a.rs", a), ("m/b.rs", b)];
        small(&files).circles().concat().join(" ")
    };
    assert_eq!(circles("use super::B; struct A;", "pub struct B;"), "");
    assert_eq!(circles("use super::B; struct A;", "use super::A; pub struct B;"), "m/a.rs m/b.rs");
    assert_eq!(
        circles("fn f() { super::b::g() } struct A;", "use crate::m::{A}; pub struct B;"),
        "m/a.rs m/b.rs"
    );
}

#[test]
fn the_other_checks_detect_violations() {
    let long = "\n".repeat(LONGEST + 1);
    let text = "fn f() { unsafe { g() } }";
    let all = small(&[
        ("lib.rs", "#![deny(missing_docs)]"),
        ("a.rs", text),
        ("kernel/a.rs", text),
        ("b.rs", "fn f() { println!(\"\") }"),
        ("c.rs", &long),
    ]);
    assert_eq!(all.unsafe_outside_the_kernel(), ["a.rs"]);
    assert!(!all.denies_unsafe_code());
    assert!(small(&[("lib.rs", "#![deny(unsafe_code)]")]).denies_unsafe_code());
    assert_eq!(all.printing(), ["b.rs"]);
    assert_eq!(all.too_long(), ["c.rs"]);
}
