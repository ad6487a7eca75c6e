//! The columns of a file: their names, physical types, and logical types.

use std::sync::Arc;

use parquet::basic::{Repetition, Type};
use parquet::schema::types::{self, ColumnDescPtr, ColumnDescriptor, ColumnPath};

use super::thrift::{Field, STRUCT, TRUE, Thrift};
use crate::files::Parsed;

/// The maximum number of columns, and the maximum nesting depth of structs.
const MOST: usize = 1 << 20;
const DEEPEST: usize = 16;

/// The maximum length of a decimal in bytes.
const LONGEST_DECIMAL: u64 = 64;

/// A column.
#[derive(Debug, Clone)]
pub(crate) struct Leaf {
    /// The name; for a field of a struct, with the name of the struct: `point.x`.
    pub(crate) name: String,
    pub(crate) kind: ColumnKind,
    /// The type in the crate's terms.
    pub(super) column: ColumnDescPtr,
}

/// The meaning of the values.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum ColumnKind {
    Bool,
    /// A number, after division by this one: the units per second, or a power of ten for decimals.
    Number(f64),
    Unsigned,
    Half,
    Text,
    /// An unsupported type, and the supported ones.
    Other(&'static str),
}

/// An element of the schema: a column, or a struct or list of the elements that follow.
#[derive(Debug, Default)]
pub(super) struct SchemaElement {
    name: String,
    physical: Option<i64>,
    length: u64,
    repetition: i64,
    children: u64,
    converted: Option<i64>,
    scale: i64,
    logical: Option<(i16, Logical)>,
}

/// The annotation of a decimal, a time or an integer.
#[derive(Debug, Default, Clone, Copy)]
struct Logical {
    scale: i64,
    /// The unit of a time: 1 milliseconds, 2 microseconds, 3 nanoseconds.
    unit: i16,
    unsigned: bool,
}

impl SchemaElement {
    pub(super) fn read(from: &mut Thrift) -> Parsed<Self> {
        let mut element = SchemaElement::default();
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

    fn physical(&self) -> Parsed<Type> {
        Ok(match self.physical {
            Some(0) => Type::BOOLEAN,
            Some(1) => Type::INT32,
            Some(2) => Type::INT64,
            Some(3) => Type::INT96,
            Some(4) => Type::FLOAT,
            Some(5) => Type::DOUBLE,
            Some(6) => Type::BYTE_ARRAY,
            Some(7) if (1..1 << 20).contains(&self.length) => Type::FIXED_LEN_BYTE_ARRAY,
            _ => return Err(format!("the column `{}` of an unknown type", self.name)),
        })
    }

    fn kind(&self, physical: Type) -> ColumnKind {
        let whole = matches!(physical, Type::INT32 | Type::INT64);
        let fixed = physical == Type::FIXED_LEN_BYTE_ARRAY;
        let decimal = |scale: i64| match physical {
            Type::FIXED_LEN_BYTE_ARRAY if self.length > LONGEST_DECIMAL => {
                ColumnKind::Other("decimals with too many digits")
            }
            Type::BYTE_ARRAY | Type::FIXED_LEN_BYTE_ARRAY | Type::INT32 | Type::INT64 => {
                ColumnKind::Number(10f64.powi(scale.clamp(-400, 400) as i32))
            }
            _ => ColumnKind::Other("decimals of an unknown type"),
        };
        let time = |unit: i16| match unit {
            1 => ColumnKind::Number(1e3),
            2 => ColumnKind::Number(1e6),
            3 => ColumnKind::Number(1e9),
            _ => ColumnKind::Other("times of an unknown unit"),
        };
        match (self.logical, self.converted) {
            (Some((1 | 4 | 12, _)), _) | (None, Some(0 | 4 | 19)) if physical == Type::BYTE_ARRAY => {
                ColumnKind::Text
            }
            (Some((5, logical)), _) => decimal(logical.scale),
            (None, Some(5)) => decimal(self.scale),
            (Some((7 | 8, logical)), _) if whole => time(logical.unit),
            (None, Some(7 | 9)) if whole => time(1),
            (None, Some(8 | 10)) if whole => time(2),
            (None, Some(21)) => ColumnKind::Other("durations"),
            (Some((10, logical)), _) if whole && logical.unsigned => ColumnKind::Unsigned,
            (None, Some(11..=14)) if whole => ColumnKind::Unsigned,
            (Some((15, _)), _) if fixed && self.length == 2 => ColumnKind::Half,
            _ => match physical {
                Type::BOOLEAN => ColumnKind::Bool,
                // Dates are the days since 1970.
                Type::INT32 | Type::INT64 | Type::FLOAT | Type::DOUBLE => ColumnKind::Number(1.0),
                // Older writers omit that it is a string.
                Type::BYTE_ARRAY => ColumnKind::Text,
                // A timestamp in nanoseconds, of older writers.
                Type::INT96 => ColumnKind::Number(1e9),
                Type::FIXED_LEN_BYTE_ARRAY => ColumnKind::Other("binary data"),
            },
        }
    }

    /// The crate's description of a column of this type whose maximum definition level is `most`.
    fn column(&self, physical: Type, most: i16, name: &str) -> Parsed<ColumnDescPtr> {
        let length = if physical == Type::FIXED_LEN_BYTE_ARRAY { self.length as i32 } else { -1 };
        let built = types::Type::primitive_type_builder(name, physical)
            .with_repetition(if most > 0 { Repetition::OPTIONAL } else { Repetition::REQUIRED })
            .with_length(length)
            .build()
            .map_err(|error| error.to_string())?;
        Ok(Arc::new(ColumnDescriptor::new(Arc::new(built), most, 0, ColumnPath::from(name))))
    }
}

fn logical(from: &mut Thrift) -> Parsed<Option<(i16, Logical)>> {
    let mut found = None;
    from.fields(&mut |from, Field { id, kind }| {
        let mut logical = Logical::default();
        if kind != STRUCT {
            return Ok(false);
        }
        from.fields(&mut |from, field| {
            match (id, field.id) {
                (5, 1) => logical.scale = from.int(field.kind)?,
                (7 | 8, 2) if field.kind == STRUCT => {
                    from.fields(&mut |_, unit| {
                        logical.unit = unit.id;
                        Ok(false)
                    })?;
                }
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

/// The columns of a tree of elements in preorder.
pub(super) fn leaves(elements: &[SchemaElement]) -> Parsed<Vec<Leaf>> {
    let (root, mut rest) = elements.split_first().ok_or("there is no schema")?;
    let mut leaves = Vec::new();
    for _ in 0..root.children {
        walk(&mut rest, "", 0, false, 0, &mut leaves)?;
    }
    match rest {
        [] => Ok(leaves),
        _ => Err("a schema with undeclared elements".into()),
    }
}

fn walk(
    rest: &mut &[SchemaElement],
    within: &str,
    most: i16,
    repeated: bool,
    depth: usize,
    leaves: &mut Vec<Leaf>,
) -> Parsed<()> {
    let (element, further) = rest.split_first().ok_or("a truncated schema")?;
    *rest = further;
    if depth > DEEPEST || leaves.len() == MOST {
        return Err("a schema with too many columns or levels".into());
    }
    let name = if within.is_empty() { element.name.clone() } else { format!("{within}.{}", element.name) };
    let (most, repeated) = (most + i16::from(element.repetition != 0), repeated || element.repetition == 2);
    if element.physical.is_some() {
        let physical = element.physical()?;
        let kind = if repeated { ColumnKind::Other("lists") } else { element.kind(physical) };
        let column = element.column(physical, most, &name)?;
        leaves.push(Leaf { name, kind, column });
        return Ok(());
    }
    (0..element.children).try_for_each(|_| walk(rest, &name, most, repeated, depth + 1, leaves))
}
