//! A cell of a table: a number, a word, or empty.

/// The content of a cell.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(in crate::data) enum Cell<'a> {
    Text(&'a str),
    /// A text that is taken as it is: never a missing value, never trimmed.
    #[allow(dead_code, reason = "text of a file that tells what is missing")]
    Word(&'a str),
    #[allow(dead_code, reason = "text has none")]
    Number(f64),
    Missing,
}

/// The words that pandas reads as a missing value.
const MISSING: [&str; 18] = [
    "", "#N/A", "#N/A N/A", "#NA", "-1.#IND", "-1.#QNAN", "-NaN", "-nan", "1.#IND", "1.#QNAN", "<NA>", "N/A",
    "NA", "NULL", "NaN", "None", "n/a", "nan",
];

impl<'a> Cell<'a> {
    /// Turns a cell into a missing one if its word is among `words` or pandas's.
    pub(super) fn known(self, words: &[String]) -> Self {
        match self {
            Cell::Text(text) => {
                let text = text.trim();
                let missing =
                    MISSING.contains(&text) || text == "null" || words.iter().any(|word| word == text);
                if missing { Cell::Missing } else { Cell::Text(text) }
            }
            Cell::Word(text) if words.iter().any(|word| word == text) => Cell::Missing,
            Cell::Number(number) if number.is_nan() => Cell::Missing,
            cell => cell,
        }
    }

    /// The number in the cell; `true` and `false` are 1 and 0.
    pub(super) fn number(self) -> Option<f64> {
        match self {
            Cell::Number(number) => Some(number),
            Cell::Missing => None,
            Cell::Text("true" | "True" | "TRUE") => Some(1.0),
            Cell::Text("false" | "False" | "FALSE") => Some(0.0),
            Cell::Text(text) | Cell::Word(text) => text.parse().ok(),
        }
    }

    /// The name of the cell's value as a class or category.
    pub(super) fn word(self) -> std::borrow::Cow<'a, str> {
        match self {
            Cell::Text(text) | Cell::Word(text) => text.into(),
            Cell::Number(number) => number.to_string().into(),
            Cell::Missing => "".into(),
        }
    }

    /// The cell as messages show it.
    pub(super) fn shown(self) -> String {
        match self {
            Cell::Missing => "nothing".into(),
            cell => {
                let word = cell.word();
                let mut short: String = word.chars().take(40).collect();
                if short.len() < word.len() {
                    short.push_str("...");
                }
                format!("`{short}`")
            }
        }
    }
}
