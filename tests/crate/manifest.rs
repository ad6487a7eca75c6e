//! The manifest: no dependency requires a newer Rust, and each feature is documented.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::Command;

use serde_json::Value;

/// Parses `1.89` or `1.89.0`.
fn version(text: &str) -> Vec<u64> {
    text.split('.').chain(["0"]).take(3).map(|part| part.parse().expect(text)).collect()
}

fn metadata() -> Value {
    let mut command = Command::new(env!("CARGO"));
    command.args(["metadata", "--format-version=1", "--all-features", "--locked"]);
    let output = command.current_dir(env!("CARGO_MANIFEST_DIR")).output().expect("cargo");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).expect("cargo writes JSON")
}

#[test]
fn no_dependency_requires_a_newer_rust() {
    let metadata = metadata();
    let packages = metadata["packages"].as_array().expect("packages");
    let ours = version(env!("CARGO_PKG_RUST_VERSION"));
    let mut named = 0;
    for package in packages {
        let Some(theirs) = package["rust_version"].as_str() else { continue };
        assert!(version(theirs) <= ours, "{} {} wants {theirs}", package["name"], package["version"]);
        named += 1;
    }
    assert!(named > 50, "{named} of {} name one", packages.len());
}

#[test]
fn each_feature_is_documented_in_the_manifest_and_the_readme() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let read = |name: &str| std::fs::read_to_string(root.join(name)).expect(name);
    let (manifest, readme) = (read("Cargo.toml"), read("README.md"));
    let features =
        manifest.split("[features]\n").nth(1).and_then(|rest| rest.split("\n[").next()).expect("features");
    // Parts that several formats share, which users do not enable themselves.
    let mut parts = BTreeSet::from(["default", "archive", "files", "gzip"]);
    let default = features.lines().find(|line| line.starts_with("default =")).expect("default features");
    let (mut expected, mut is_explained) = (BTreeMap::new(), false);
    for line in features.lines() {
        let Some((name, _)) = line.split_once(" = ") else {
            is_explained = line.starts_with('#');
            continue;
        };
        if !parts.remove(name) {
            assert!(is_explained, "the manifest has no comment about `{name}`");
            expected.insert(name, default.contains(&format!("\"{name}\"")));
        }
        is_explained = false;
    }
    assert!(parts.is_empty(), "the manifest has no feature {parts:?}");
    let table = readme.split("| feature | default |").nth(1).and_then(|rest| rest.split("\n\n").next());
    let rows = table.expect("a table").lines().filter(|line| line.starts_with("| `"));
    let cells = rows.map(|row| row.split(" | ").map(|cell| cell.trim_matches(['|', ' ', '`'])));
    let listed = cells.map(|mut cells| (cells.next().unwrap_or_default(), cells.next() == Some("yes")));
    assert_eq!(
        listed.collect::<BTreeMap<_, _>>(),
        expected,
        "the README's table and the manifest's features"
    );
}
