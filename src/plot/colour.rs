//! Colours that people with any colour vision can distinguish.

/// Red, green and blue.
pub(super) type Colour = (u8, u8, u8);

pub(super) const INK: Colour = (0x22, 0x22, 0x22);
pub(super) const FAINT: Colour = (0x66, 0x66, 0x66);
pub(super) const GRID: Colour = (0xE4, 0xE4, 0xE4);
pub(super) const WHITE: Colour = (0xFF, 0xFF, 0xFF);
pub(super) const BLUE: Colour = (0x00, 0x72, 0xB2);
pub(super) const VERMILLION: Colour = (0xD5, 0x5E, 0x00);

/// The colours of Okabe and Ito that stand out on white.
const LINES: [Colour; 7] = [
    BLUE,
    VERMILLION,
    (0x00, 0x9E, 0x73),
    (0xCC, 0x79, 0xA7),
    (0xE6, 0x9F, 0x00),
    (0x56, 0xB4, 0xE9),
    (0x00, 0x00, 0x00),
];

/// The colour of line `number`, and whether it is dashed because all colours are used.
pub(super) fn line(number: usize) -> (Colour, bool) {
    (LINES[number % LINES.len()], number / LINES.len() % 2 == 1)
}

/// A colour from white at 0 to dark blue at 1, with even steps in lightness.
pub(super) fn shade(share: f64) -> Colour {
    blend(WHITE, (0x08, 0x3A, 0x6B), share.clamp(0.0, 1.0).powf(0.85))
}

/// A colour from blue at −1 through white to vermillion at 1.
pub(super) fn signed(value: f64) -> Colour {
    blend(WHITE, if value < 0.0 { BLUE } else { VERMILLION }, value.abs().min(1.0))
}

/// The colour of readable text on this colour.
pub(super) fn on(colour: Colour) -> Colour {
    let (r, g, b) = colour;
    let light = 0.299 * f64::from(r) + 0.587 * f64::from(g) + 0.114 * f64::from(b);
    if light > 140.0 { INK } else { WHITE }
}

/// Mixes two colours in this ratio.
pub(super) fn blend(from: Colour, to: Colour, share: f64) -> Colour {
    let mix = |a: u8, b: u8| (f64::from(a) + (f64::from(b) - f64::from(a)) * share).round() as u8;
    (mix(from.0, to.0), mix(from.1, to.1), mix(from.2, to.2))
}
