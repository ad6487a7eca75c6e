//! The columns of a file: their names, how their values lie, and what they mean.

use super::thrift::{Field, STRUCT, TRUE, Thrift};
use super::{Found, Item, Physical};

/// How many columns a file may have, and how deep they may lie within structs.
const MOST: usize = 1 << 20;
const DEEPEST: usize = 16;

/// A column.
#[derive(Debug, Clone)]
pub(crate) struct Leaf {
    /// Its name; of a struct's field, with that of the struct: `point.x`.
    pub(crate) name: String,
    pub(super) physical: Physical,
    pub(crate) kind: Kind,
    /// The level at which a value is there, where lower ones tell that it or what it lies in is missing.
    pub(super) most: u32,
}

/// What the values mean.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Bool,
    Number,
    Unsigned,
    /// A whole number, and how many of its digits stand behind the point.
    Decimal(i32),
    Half,
    Text,
    /// What it is, and what would do.
    Other(&'static str),
}

impl Leaf {
    /// The number of a value, where it is one.
    pub(crate) fn number(&self, item: Item) -> Option<f64> {
        match (self.kind, item) {
            (Kind::Unsigned, Item::Int(value)) if self.physical == Physical::I32 => {
                Some(f64::from(value as u32))
            }
            (Kind::Unsigned, Item::Int(value)) => Some(value as u64 as f64),
            (Kind::Decimal(scale), Item::Int(value)) => Some(value as f64 / 10f64.powi(scale)),
            (Kind::Decimal(scale), Item::Bytes(bytes)) => Some(big_endian(bytes) / 10f64.powi(scale)),
            (Kind::Half, Item::Bytes(&[low, high])) => Some(half::f16::from_le_bytes([low, high]).to_f64()),
            (Kind::Number, Item::Int(value)) => Some(value as f64),
            (Kind::Number, Item::Float(value)) => Some(value),
            (_, Item::Bool(value)) => Some(f64::from(u8::from(value))),
            _ => None,
        }
    }
}

/// A signed number of any length, the highest byte first.
fn big_endian(bytes: &[u8]) -> f64 {
    let start = if bytes.first().is_some_and(|byte| *byte > 127) { -1.0 } else { 0.0 };
    bytes.iter().fold(start, |value, byte| value * 256.0 + f64::from(*byte))
}

/// An element of the schema: a column, or a struct or list of those that follow.
#[derive(Debug, Default)]
pub(super) struct Element {
    name: String,
    physical: Option<i64>,
    length: u64,
    repetition: i64,
    children: u64,
    converted: Option<i64>,
    scale: i64,
    logical: Option<(i16, Logical)>,
}

/// What is told of a decimal, or of a whole number.
#[derive(Debug, Default, Clone, Copy)]
struct Logical {
    scale: i64,
    unsigned: bool,
}

impl Element {
    pub(super) fn read(from: &mut Thrift) -> Found<Self> {
        let mut element = Element::default();
        from.fields(&mut |from, Field { id, kind }| {
            match id {
                1 => element.physical = Some(from.int(kind)?),
                2 => element.length = from.size(kind)?,
                3 => element.repetition = from.int(kind)?,
                4 => element.name = from.text(kind)?,
                5 => element.children = from.size(kind)?,
                6 => element.converted = Some(from.int(kind)?),
                7 => element.scale = from.int(kind)?,
                10 if kind == STRUCT => element.logical = logical(from)?,
                _ => return Ok(false),
            }
            Ok(true)
        })?;
        Ok(element)
    }

    fn physical(&self) -> Found<Physical> {
        Ok(match self.physical {
            Some(0) => Physical::Bool,
            Some(1) => Physical::I32,
            Some(2) => Physical::I64,
            Some(3) => Physical::I96,
            Some(4) => Physical::F32,
            Some(5) => Physical::F64,
            Some(6) => Physical::Bytes,
            Some(7) if (1..1 << 20).contains(&self.length) => Physical::Fixed(self.length as usize),
            _ => return Err(format!("the column `{}` of an unknown type", self.name)),
        })
    }

    fn kind(&self, physical: Physical) -> Kind {
        const DATES: Kind = Kind::Other("dates or times; write them as numbers");
        let whole = matches!(physical, Physical::I32 | Physical::I64);
        let decimal = |scale: i64| match physical {
            Physical::Bytes | Physical::Fixed(_) | Physical::I32 | Physical::I64 => {
                Kind::Decimal(scale.clamp(-400, 400) as i32)
            }
            _ => Kind::Other("decimals of an unknown type"),
        };
        match (self.logical, self.converted) {
            (Some((1 | 4 | 12, _)), _) | (None, Some(0 | 4 | 19)) if physical == Physical::Bytes => {
                Kind::Text
            }
            (Some((5, logical)), _) => decimal(logical.scale),
            (None, Some(5)) => decimal(self.scale),
            (Some((6..=8, _)), _) | (None, Some(6..=10 | 21)) => DATES,
            (Some((10, logical)), _) if whole && logical.unsigned => Kind::Unsigned,
            (None, Some(11..=14)) if whole => Kind::Unsigned,
            (Some((15, _)), _) if physical == Physical::Fixed(2) => Kind::Half,
            _ => match physical {
                Physical::Bool => Kind::Bool,
                Physical::I32 | Physical::I64 | Physical::F32 | Physical::F64 => Kind::Number,
                // Older writers left out that it is text.
                Physical::Bytes => Kind::Text,
                Physical::I96 => DATES,
                Physical::Fixed(_) => Kind::Other("bytes that are no number"),
            },
        }
    }
}

fn logical(from: &mut Thrift) -> Found<Option<(i16, Logical)>> {
    let mut found = None;
    from.fields(&mut |from, Field { id, kind }| {
        let mut logical = Logical::default();
        if kind != STRUCT {
            return Ok(false);
        }
        from.fields(&mut |from, field| {
            match (id, field.id) {
                (5, 1) => logical.scale = from.int(field.kind)?,
                (10, 2) => logical.unsigned = field.kind != TRUE,
                _ => return Ok(false),
            }
            Ok(true)
        })?;
        found = Some((id, logical));
        Ok(true)
    })?;
    Ok(found)
}

/// The columns of a tree of elements, each before what lies in it.
pub(super) fn leaves(elements: &[Element]) -> Found<Vec<Leaf>> {
    let (root, mut rest) = elements.split_first().ok_or("there is no schema")?;
    let mut leaves = Vec::new();
    for _ in 0..root.children {
        walk(&mut rest, "", 0, false, 0, &mut leaves)?;
    }
    match rest {
        [] => Ok(leaves),
        _ => Err("a schema of more elements than it tells".into()),
    }
}

fn walk(
    rest: &mut &[Element],
    within: &str,
    most: u32,
    repeated: bool,
    depth: usize,
    leaves: &mut Vec<Leaf>,
) -> Found<()> {
    let (element, further) = rest.split_first().ok_or("a schema that is cut off")?;
    *rest = further;
    if depth > DEEPEST || leaves.len() == MOST {
        return Err("a schema of too many columns, or too deep".into());
    }
    let name = if within.is_empty() { element.name.clone() } else { format!("{within}.{}", element.name) };
    let (most, repeated) = (most + u32::from(element.repetition != 0), repeated || element.repetition == 2);
    if element.physical.is_some() {
        let physical = element.physical()?;
        let kind = if repeated { Kind::Other("lists") } else { element.kind(physical) };
        leaves.push(Leaf { name, physical, kind, most });
        return Ok(());
    }
    (0..element.children).try_for_each(|_| walk(rest, &name, most, repeated, depth + 1, leaves))
}
