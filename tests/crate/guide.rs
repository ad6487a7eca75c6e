//! The guide's chapter on Keras covers every public name of Keras, and names only items that exist.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

/// The texts in backticks.
fn quoted(text: &str) -> impl Iterator<Item = &str> {
    text.split('`').skip(1).step_by(2)
}

/// The words of a piece of code: `Adam::new(0.1)` contains `Adam` and `new`.
fn words(code: &str) -> impl Iterator<Item = &str> {
    let word = |c: char| !(c.is_alphanumeric() || c == '_');
    code.split(word).filter(|word| word.starts_with(|c: char| c.is_alphabetic()))
}

fn chapter(name: &str) -> String {
    let text = fs::read_to_string(Path::new("src/guide").join(name)).unwrap();
    // Code blocks are compiled anyway.
    text.split("```").step_by(2).collect()
}

#[test]
fn the_guide_covers_every_name_of_keras() {
    let text = chapter("from_keras.md");
    let answered: BTreeSet<&str> = quoted(&text).flat_map(words).collect();
    let names = include_str!("keras_names.txt");
    let missing: Vec<&str> =
        names.lines().filter(|name| !answered.contains(name.rsplit('.').next().unwrap())).collect();
    assert!(missing.is_empty(), "{missing:#?}");
    assert!(names.lines().count() > 300);
}

fn sources(folder: &Path, all: &mut String) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, all);
        } else if path.extension().is_some_and(|end| end == "rs") {
            *all += &fs::read_to_string(path).unwrap();
        }
    }
}

#[test]
fn names_in_the_guide_exist() {
    let mut source = String::new();
    sources(Path::new("src"), &mut source);
    let known: BTreeSet<&str> = words(&source).collect();
    // Names of arrays, closures and files, which are not items of this crate.
    let foreign = ["onnx", "lr", "steps", "x_train"];
    let mut missing = Vec::new();
    for name in ["from_keras.md", "from_scikit_learn.md", "from_pytorch.md"] {
        let text = chapter(name);
        for row in text.lines().filter(|line| line.starts_with('|')) {
            let column = |i| row.split('|').nth(i).unwrap_or_default();
            let here = if column(2).trim().starts_with("the same") { column(1) } else { column(2) };
            let wrong = |word: &&str| !known.contains(word) && !foreign.contains(word);
            missing.extend(quoted(here).flat_map(words).filter(wrong).map(|word| format!("{name}: {word}")));
        }
    }
    assert!(missing.is_empty(), "{missing:#?}");
}

#[test]
fn activations_in_the_guide_are_names_of_activations() {
    let text = chapter("from_keras.md");
    let row = text.lines().find(|line| line.starts_with(r#"| `"relu"`"#)).unwrap();
    let names: Vec<&str> =
        quoted(row.split('|').nth(1).unwrap()).map(|name| name.trim_matches('"')).collect();
    for name in &names {
        assert!(name.parse::<cornu::activation::Activation>().is_ok(), "{name}");
    }
    assert!(names.len() > 30, "{names:?}");
}
