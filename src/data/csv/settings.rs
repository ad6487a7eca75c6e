//! The settings of a file that depend on each other, or on the dataset passed to `like`.

use super::Csv;
use crate::data::table::NumberFormat;
use crate::error::{Error, Result};

impl Csv {
    /// Takes the settings that are not set from the dataset passed to `like`, and refuses contradictions.
    pub(super) fn settled(&self) -> Result<Csv> {
        let mut csv = self.clone();
        if let Some(like) = &self.columns.like {
            csv.file.encoding.get_or_insert(like.settings.encoding);
            csv.columns.format.get_or_insert(like.settings.format);
        }
        let delimiter = csv.file.delimiter_byte();
        let comment = csv.file.comment;
        let structural = |byte: &u8| matches!(byte, b'"' | b'\r' | b'\n');
        let refuse = |argument, expected: &str, byte: u8| {
            Err(Error::argument(argument, expected, format!("`{}`", byte.escape_ascii())))
        };
        if structural(&delimiter) {
            return refuse("delimiter", "neither a quote nor the end of a line", delimiter);
        }
        if let Some(comment) = comment.filter(|comment| structural(comment) || *comment == delimiter) {
            return refuse("comment", "neither the delimiter, a quote nor the end of a line", comment);
        }
        let format = csv.columns.format.unwrap_or_default();
        if format == NumberFormat::default() {
            return Ok(csv);
        }
        let separates = |byte: u8| byte.is_ascii_punctuation() && !matches!(byte, b'"' | b'+' | b'-');
        let NumberFormat { decimal, thousands } = format;
        // Either may be the delimiter, which a quoted "1,234" contains.
        if !separates(decimal) {
            let expected = "a punctuation mark other than a quote and a sign";
            return refuse("decimal", expected, decimal);
        }
        let taken = |byte: u8| byte == decimal || !(separates(byte) || byte == b' ');
        match thousands.filter(|byte| taken(*byte)) {
            Some(thousands) => {
                let expected =
                    "a space or a punctuation mark other than the decimal separator, a quote and a sign";
                refuse("thousands", expected, thousands)
            }
            None => Ok(csv),
        }
    }
}
