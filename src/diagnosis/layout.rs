//! The layout of reports: styles, and lines of words that fit the width.

use std::fmt::{self, Write};

use anstyle::Style;
#[cfg(feature = "progress")]
use console::measure_text_width as columns;

use super::styles::Styles;

/// How reports are written.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Layout {
    pub(super) styles: &'static Styles,
    /// The number of columns of a line.
    width: usize,
}

/// The start of the lines of an entry.
pub(super) struct Lead<'a> {
    /// The start of the first line, with its number of columns.
    pub(super) first: (String, usize),
    /// The start of the others.
    pub(super) rest: (&'a str, usize),
}

impl Layout {
    /// The width of texts that are not for a terminal.
    const COLUMNS: usize = 80;

    /// With the colours of rustc or without, in lines of `width` columns.
    pub(crate) fn new(coloured: bool, width: usize) -> Self {
        Layout { styles: if coloured { &Styles::COLOURED } else { &Styles::PLAIN }, width }
    }

    /// Without colours; the width of the format, such as 60 of `{:60}`, is that of the lines.
    pub(super) fn of(f: &fmt::Formatter) -> Self {
        Layout::new(false, f.width().unwrap_or(Self::COLUMNS))
    }

    /// Writes a text in lines with these starts.
    pub(super) fn write(&self, f: &mut dyn Write, lead: &Lead, style: Style, text: &str) -> fmt::Result {
        let room = |columns: usize| self.width.saturating_sub(columns);
        let lines = lines(text, room(lead.first.1), room(lead.rest.1));
        for (index, line) in lines.iter().enumerate() {
            let start = if index == 0 { &*lead.first.0 } else { lead.rest.0 };
            writeln!(f, "{start}{style}{line}{style:#}")?;
        }
        Ok(())
    }

    /// Writes `= label: text`.
    pub(super) fn entry(&self, f: &mut dyn Write, label: &str, text: &str) -> fmt::Result {
        let Styles { frame, bold, .. } = self.styles;
        let first = format!("   {frame}={frame:#} {bold}{label}{bold:#}: ");
        let lead = Lead { first: (first, 7 + columns(label)), rest: ("       ", 7) };
        self.write(f, &lead, Style::new(), text)
    }
}

/// Splits a text between words into lines: the first of at most `first` columns, the others of at most `rest`. A word that is
/// longer keeps its line.
fn lines(text: &str, first: usize, rest: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in words(text, first.min(rest)) {
        let room = if lines.len() == 1 { first } else { rest };
        match lines.last_mut() {
            Some(line) if columns(line) + 1 + columns(&word) <= room => *line += &format!(" {word}"),
            _ => lines.push(word),
        }
    }
    lines
}

/// The words of a text. Code between backticks is one word if it fits a line; `%` belongs to its number, and `→` to its neighbours.
fn words(text: &str, room: usize) -> Vec<String> {
    let has_code = text.matches('`').count().is_multiple_of(2);
    let (mut words, mut is_code): (Vec<String>, _) = (Vec::new(), false);
    for part in text.split_whitespace() {
        // Names may contain sequences that control a terminal.
        let part: String = part.chars().map(|c| if c.is_control() { '?' } else { c }).collect();
        let ends_code = has_code && !part.matches('`').count().is_multiple_of(2);
        match words.last_mut() {
            Some(word) if is_code || part.starts_with(['%', '→']) || word.ends_with('→') => {
                *word += &format!(" {part}");
            }
            _ => words.push(part),
        }
        is_code ^= ends_code;
    }
    let fits = |word: &String| columns(word) <= room;
    let split = |word: String| match fits(&word) {
        true => vec![word],
        false => word.split(' ').map(String::from).collect(),
    };
    words.into_iter().flat_map(split).collect()
}

/// The number of columns that a text takes on a terminal.
#[cfg(not(feature = "progress"))]
fn columns(text: &str) -> usize {
    text.chars().count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn breaks(text: &str, width: usize, expected: &[&str]) {
        assert_eq!(lines(text, width, width), expected, "{text:?} in {width} columns");
    }

    #[test]
    fn lines_end_between_words() {
        breaks("", 10, &[]);
        breaks("one two three", 7, &["one two", "three"]);
        breaks("one two three", 8, &["one two", "three"]);
        breaks("one two\n three", 80, &["one two three"]);
        assert_eq!(lines("one two three four", 3, 10), ["one", "two three", "four"]);
    }

    #[test]
    fn words_are_never_cut() {
        breaks("see https://docs.rs/cornu now", 10, &["see", "https://docs.rs/cornu", "now"]);
        breaks("a b", 0, &["a", "b"]);
        breaks("use `LeakyRelu { slope: 1 }` here", 25, &["use", "`LeakyRelu { slope: 1 }`", "here"]);
        breaks("use `LeakyRelu { slope: 1 }` here", 12, &["use", "`LeakyRelu {", "slope: 1 }`", "here"]);
        breaks("it`s one two", 8, &["it`s one", "two"]);
        breaks("of 20 % or", 5, &["of", "20 %", "or"]);
        breaks("loss 12.9 → 0.1, so", 12, &["loss", "12.9 → 0.1,", "so"]);
    }

    #[test]
    fn control_characters_of_names_are_replaced() {
        breaks("a\u{1b}[2Jb", 80, &["a?[2Jb"]);
    }

    #[test]
    #[cfg(feature = "progress")]
    fn wide_letters_take_two_columns() {
        breaks("層層 層層", 8, &["層層", "層層"]);
        breaks("層層 層層", 9, &["層層 層層"]);
    }
}
