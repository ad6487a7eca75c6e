//! Follows the quotes of a record, as `csv-core` accepts any: a quote that is not closed would hide the rows after it.

/// A fault of the quotes of a record.
#[derive(Debug, Clone, Copy)]
pub(super) struct QuoteFault {
    /// The line on which the quote opens.
    pub(super) line: u64,
    /// The byte after the closing quote, which is neither a delimiter nor the end of the line; none at the end of the file.
    pub(super) next: Option<u8>,
}

impl QuoteFault {
    pub(super) fn problem(self) -> String {
        match self.next {
            None => "expected a quote that closes the one on this line, found the end of the file".into(),
            Some(next) => format!(
                "expected a delimiter or the end of the line after the quoted field that begins here, found `{}`",
                next.escape_ascii()
            ),
        }
    }
}

/// The place in a field.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Place {
    Start,
    Plain,
    Quoted,
    /// After a quote inside quotes, which closes them unless another follows.
    Closed,
    /// Whitespace after the closing quote.
    After,
}

/// The quotes of a record.
#[derive(Debug)]
pub(super) struct Quotes {
    delimiter: u8,
    place: Place,
    line: u64,
    pub(super) fault: Option<QuoteFault>,
    /// Whether a field of the record is quoted.
    pub(super) found: bool,
}

impl Quotes {
    pub(super) fn new(delimiter: u8) -> Self {
        Quotes { delimiter, place: Place::Start, line: 0, fault: None, found: false }
    }

    /// Starts a record.
    pub(super) fn start(&mut self) {
        (self.place, self.fault, self.found) = (Place::Start, None, false);
    }

    /// Follows bytes of the record, from this line on. `quoted` is false if the parser removed no quotes from them.
    pub(super) fn follow(&mut self, bytes: &[u8], line: u64, quoted: bool) {
        match (self.place, bytes.last()) {
            (Place::Start | Place::Plain, Some(&last)) if !quoted => {
                self.place = if last == self.delimiter { Place::Start } else { Place::Plain };
            }
            _ => self.step(bytes, line),
        }
    }

    fn step(&mut self, bytes: &[u8], mut line: u64) {
        for &byte in bytes {
            self.place = match (self.place, byte) {
                (Place::Start, b'"') => {
                    (self.found, self.line) = (true, line);
                    Place::Quoted
                }
                (Place::Quoted, b'"') => Place::Closed,
                (Place::Quoted, _) | (Place::Closed, b'"') => Place::Quoted,
                (_, byte) if byte == self.delimiter => Place::Start,
                (Place::Closed | Place::After, b' ' | b'\t' | b'\r' | b'\n') => Place::After,
                (Place::Closed | Place::After, next) => {
                    self.fault.get_or_insert(QuoteFault { line: self.line, next: Some(next) });
                    Place::Plain
                }
                _ => Place::Plain,
            };
            line += u64::from(byte == b'\n');
        }
    }

    /// Ends the record inside quotes.
    pub(super) fn unclosed(&mut self) {
        self.fault.get_or_insert(QuoteFault { line: self.line, next: None });
    }
}
