//! Prints the page of a finding: its meaning, its causes, its fix, and when it is harmless.
//!
//! ```text
//! cargo run --example explain          # lists all codes
//! cargo run --example explain N0202    # prints the page of N0202
//! ```

use std::io::{self, Write};
use std::process::ExitCode;

use clap::Parser;
use cornu::diagnosis::Code;

/// Prints the page of a finding, or lists all codes.
#[derive(Parser)]
struct Args {
    /// The code, such as N0202.
    code: Option<String>,
}

fn main() -> ExitCode {
    let text = match Args::parse().code {
        None => list(),
        Some(wanted) => {
            let wanted = wanted.trim().to_uppercase();
            match Code::ALL.iter().find(|code| code.as_str() == wanted) {
                Some(code) => page(*code),
                None => {
                    let known: Vec<&str> = codes().map(Code::as_str).collect();
                    eprintln!(
                        "error: expected the code of a finding, found `{wanted}`; known are {}",
                        known.join(", ")
                    );
                    return ExitCode::from(2);
                }
            }
        }
    };
    // A pipe may close before the end, as that to `head`.
    match io::stdout().write_all(text.as_bytes()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => ExitCode::FAILURE,
        _ => ExitCode::SUCCESS,
    }
}

/// All codes in the order of their numbers.
fn codes() -> impl Iterator<Item = Code> {
    let mut codes = Code::ALL.to_vec();
    codes.sort_by_key(|code| code.as_str());
    codes.into_iter()
}

/// All codes, each with its highest severity and the title of its page.
fn list() -> String {
    let line = |code: Code| {
        let title = code.page().lines().next().and_then(|line| line.split_once(": ")).unwrap_or_default().1;
        format!("{code}  {:<7}  {title}\n", code.severity())
    };
    codes().map(line).collect()
}

/// The page, without the lines that the documentation hides.
fn page(code: Code) -> String {
    let mut is_code = false;
    let shown = |line: &&str| {
        is_code ^= line.starts_with("```");
        !(is_code && (line.starts_with("# ") || *line == "#"))
    };
    let lines: Vec<&str> = code.page().lines().filter(shown).collect();
    format!("{}\n\nHighest severity: {}\n{}\n", lines.join("\n"), code.severity(), code.url())
}
