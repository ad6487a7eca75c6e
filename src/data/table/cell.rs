//! A cell of a table: a number, a word, or empty.

/// The content of a cell.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(in crate::data) enum TableCell<'a> {
    Text(&'a str),
    /// A literal string: never a missing value, never trimmed.
    #[cfg(feature = "parquet")]
    Word(&'a str),
    Number(f64),
    Missing,
}

impl<'a> TableCell<'a> {
    /// Converts a plain decimal to a number early, which avoids a lookup of other meanings.
    pub(super) fn plain(self) -> Self {
        match self {
            TableCell::Text(text) => decimal(text.as_bytes()).map_or(self, TableCell::Number),
            cell => cell,
        }
    }

    /// The name of the cell's value as a class or category.
    pub(super) fn word(self) -> std::borrow::Cow<'a, str> {
        match self {
            TableCell::Text(text) => text.into(),
            #[cfg(feature = "parquet")]
            TableCell::Word(text) => text.into(),
            TableCell::Number(number) => number.to_string().into(),
            TableCell::Missing => "".into(),
        }
    }

    /// The cell, formatted for messages.
    pub(super) fn shown(self) -> String {
        match self {
            TableCell::Missing => "nothing".into(),
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

/// The powers of ten that `f64` represents exactly.
const POWERS: [f64; 23] = [
    1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18,
    1e19, 1e20, 1e21, 1e22,
];

/// Parses digits, a point and an exponent if the digits and the power of ten are exact, so that one operation rounds as
/// the standard library does. It takes half the time; the standard parser reads all other numbers.
fn decimal(text: &[u8]) -> Option<f64> {
    let negative = text.first() == Some(&b'-');
    let mut rest = &text[usize::from(negative)..];
    let (mut digits, mut count, mut power) = (0u64, 0, 0i32);
    let mut point = false;
    while let Some((&byte, further)) = rest.split_first() {
        match byte {
            b'0'..=b'9' => {
                digits = digits.wrapping_mul(10).wrapping_add(u64::from(byte - b'0'));
                count += 1;
                power -= i32::from(point);
            }
            b'.' if !point => point = true,
            _ => break,
        }
        rest = further;
    }
    if let [b'e' | b'E', exponent @ ..] = rest {
        let down = exponent.first() == Some(&b'-');
        let exponent = if down || exponent.first() == Some(&b'+') { &exponent[1..] } else { exponent };
        if !matches!(exponent.len(), 1..=3) || !exponent.iter().all(u8::is_ascii_digit) {
            return None;
        }
        let value = exponent.iter().fold(0, |value, digit| value * 10 + i32::from(digit - b'0'));
        power += if down { -value } else { value };
        rest = &[];
    }
    // 19 digits fit into 64 bits.
    if !rest.is_empty() || !(1..=19).contains(&count) || digits > 1 << 53 {
        return None;
    }
    let factor = POWERS.get(power.unsigned_abs() as usize)?;
    let value = if power < 0 { digits as f64 / factor } else { digits as f64 * factor };
    Some(if negative { -value } else { value })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_decimals_parse_like_the_standard_library() {
        let mut texts: Vec<String> =
            ["0", "-0", "-0.0", "1.", ".5", "007", "1e22", "1e23", "9007199254740993", "0.1e-3", "3E+2"]
                .map(String::from)
                .into();
        let mut rng = crate::Rng::new(3);
        for _ in 0..10_000 {
            let value = rng.bits() as i64 >> (rng.bits() % 60);
            let power = (rng.bits() % 40) as i32 - 20;
            texts.push(format!("{value}e{power}"));
            texts.push(format!("{}", value as f64 * 10f64.powi(power)));
            texts.push(format!("{}", value as f32 / 1000.0));
        }
        let mut plain = 0;
        for text in &texts {
            if let Some(found) = decimal(text.as_bytes()) {
                assert_eq!(found.to_bits(), text.parse::<f64>().unwrap().to_bits(), "{text}");
                plain += 1;
            }
        }
        assert!(plain > 10_000, "{plain} of {}", texts.len());
        for text in
            ["", "-", ".", "e5", "1e", "1e+", "1 ", "--1", "1.2.3", "nan", "inf", "1_0", "+1", "1e1000"]
        {
            assert_eq!(decimal(text.as_bytes()), None, "{text}");
        }
    }
}
