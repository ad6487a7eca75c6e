//! The map of the crate holds: imports go one way, files are short, `unsafe` stays in the kernel.

use std::fs;
use std::path::{Path, PathBuf};

/// From the left to the right; those on one line never import each other.
const ORDER: [&[&str]; 15] = [
    &["error"],
    &["config"],
    &["scalar", "rng", "state", "tensor", "axis", "distributed"],
    &["kernel", "regularizer", "constraint", "initializer", "activation"],
    &["param", "samples"],
    &["files"],
    &["layer", "loss", "optimizer", "metric", "data"],
    &["model"],
    &["save"],
    &["callback"],
    &["diagnosis"],
    &["training"],
    &["selection"],
    &["plot", "report"],
    &["guide"],
];

fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension().is_some_and(|end| end == "rs") {
            found.push(path);
        }
    }
}

fn rank(module: &str) -> Option<usize> {
    ORDER.iter().position(|row| row.contains(&module))
}

/// The top module that a file belongs to, and its code without tests and comments.
fn files() -> Vec<(PathBuf, String, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut paths = Vec::new();
    sources(&root, &mut paths);
    let read = |path: PathBuf| {
        let first = path.strip_prefix(&root).unwrap().iter().next().unwrap().to_str().unwrap();
        let module = first.trim_end_matches(".rs").to_string();
        let text = fs::read_to_string(&path).unwrap();
        let code = text.split("#[cfg(test)]").next().unwrap().to_string();
        let lines = code.lines().filter(|line| !line.trim_start().starts_with("//"));
        (path, module, lines.collect::<Vec<_>>().join("\n"))
    };
    paths.into_iter().map(read).collect()
}

#[test]
fn imports_go_one_way() {
    let mut faults = Vec::new();
    for (path, module, code) in files() {
        let Some(from) = rank(&module) else { continue };
        for part in code.split("crate::").skip(1) {
            let to: String = part.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
            let back = rank(&to)
                .is_some_and(|to_rank| to_rank > from || (to_rank == from && from >= 6 && to != module));
            if back {
                faults.push(format!("{} imports {to}", path.display()));
            }
        }
    }
    assert!(faults.is_empty(), "{faults:#?}");
}

#[test]
fn every_module_has_its_place() {
    for (path, module, _) in files() {
        let known = rank(&module).is_some() || ["lib", "prelude"].contains(&&*module);
        assert!(known, "{} has no place in the order", path.display());
    }
}

#[test]
fn no_file_is_longer_than_300_lines() {
    for (path, _, _) in files() {
        let lines = fs::read_to_string(&path).unwrap().lines().count();
        assert!(lines <= 300, "{} has {lines} lines", path.display());
    }
}

#[test]
fn unsafe_stays_in_the_kernel_and_nothing_prints() {
    for (path, module, code) in files() {
        assert!(module == "kernel" || !code.contains("unsafe"), "unsafe in {}", path.display());
        assert!(!code.contains("println!("), "println! in {}", path.display());
    }
}
