//! Reading and checking of a header.

use super::super::json;
use super::{CHECKSUM, Checksum, TYPES};
use crate::config::Value;
use crate::error::Result;
use crate::files::array::{Array, Number};
use crate::files::budget::Budget;
use crate::files::checksum;
use crate::files::input::Input;

/// The maximum length of a header in the format.
const LONGEST: u64 = 100_000_000;
const PLACE: &str = "its header";

/// The content of a header, in the order of the numbers.
#[derive(Debug)]
pub(super) struct Header {
    pub(super) metadata: Vec<(String, String)>,
    pub(super) tensors: Vec<(String, Array)>,
    /// The names and types of tensors that cannot be weights, and can only be ignored.
    pub(super) others: Vec<(String, String)>,
}

/// The header entry of a tensor.
struct Tensor {
    name: String,
    shape: Vec<usize>,
    kind: Kind,
    start: u64,
    end: u64,
}

enum Kind {
    Weight(Number),
    /// A type that no weight has. The size of its numbers may be unknown.
    Other(String),
}

impl Header {
    /// Reads the header and compares the checksum if there is one.
    pub(super) fn read(input: &Input, budget: &Budget) -> Result<Self> {
        let fail = |problem: String| input.damaged(PLACE, problem);
        let len = input.number(PLACE, 0, 8)?;
        if len > LONGEST || len > input.len().saturating_sub(8) {
            return Err(fail(format!("a header of {len} bytes, which is too long")));
        }
        budget.add_settings(len as usize);
        let text = input.take(PLACE, 8, len, budget)?;
        if text.first() != Some(&b'{') {
            return Err(fail("a header that does not begin with `{`".into()));
        }
        let value = json::parse(&text, budget).map_err(fail)?;
        drop(text);
        budget.give(len as usize);
        let Value::Map(fields) = value else { return Err(fail("a header that is not an object".into())) };
        let mut header = Header { metadata: Vec::new(), tensors: Vec::new(), others: Vec::new() };
        let start = 8 + len;
        let mut tensors = Vec::new();
        budget.take_many::<[Tensor; 2]>(fields.len()).map_err(|spent| input.spent(PLACE, spent))?;
        for (name, value) in fields {
            if name == "__metadata__" {
                header.metadata = texts(value).ok_or_else(|| fail("metadata that is not texts".into()))?;
                continue;
            }
            tensors.push(tensor(input, name, value, start)?);
        }
        // Tensors without values come before the one that starts at the same position.
        tensors.sort_by_key(|tensor| (tensor.start, tensor.end));
        let mut at = start;
        for Tensor { name, shape, kind, start, end } in tensors {
            if start != at {
                return Err(input.damaged(name, "its numbers overlap with others, or leave a gap"));
            }
            at = end;
            match kind {
                Kind::Weight(number) => header.tensors.push((name, Array { number, shape, start })),
                Kind::Other(kind) => header.others.push((name, kind)),
            }
        }
        if at != input.len() {
            return Err(fail(format!("the numbers end at byte {at} of {}", input.len())));
        }
        header.check(input, start)?;
        Ok(header)
    }

    /// Refuses tensors that cannot be weights.
    pub(super) fn only_weights(self, input: &Input) -> Result<Self> {
        match self.others.first() {
            Some((name, kind)) => Err(input.damaged(name.as_str(), of_other_type(kind))),
            None => Ok(self),
        }
    }

    /// Returns the metadata with this name.
    pub(super) fn text(&self, name: &str) -> Option<&str> {
        self.metadata.iter().find(|(known, _)| known == name).map(|(_, text)| &**text)
    }

    fn check(&self, input: &Input, start: u64) -> Result<()> {
        let Some(expected) = self.text(CHECKSUM) else {
            return match self.metadata.iter().find(|(name, _)| name.starts_with("cornu")) {
                Some((name, _)) => Err(input.damaged(PLACE, format!("`{name}` without a checksum"))),
                None => Ok(()),
            };
        };
        let mut sum = Checksum::new();
        for (name, text) in self.metadata.iter().filter(|(name, _)| name != CHECKSUM) {
            sum.word(name);
            sum.word(text);
        }
        for (name, array) in &self.tensors {
            let kind = TYPES.iter().find(|(_, number)| *number == array.number);
            sum.tensor(name, kind.map_or("", |(kind, _)| kind), &array.shape);
        }
        input.pieces(PLACE, start, input.len() - start, &mut |piece| sum.0.update(piece))?;
        let found = sum.finish();
        if checksum::fits(&*found, expected) {
            return Ok(());
        }
        Err(input.damaged("as a whole", format!("expected the checksum {expected}, found {found}")))
    }
}

/// Reads a map of texts.
fn texts(value: Value) -> Option<Vec<(String, String)>> {
    let Value::Map(fields) = value else { return None };
    let text = |(name, value)| match value {
        Value::Text(text) => Some((name, text)),
        _ => None,
    };
    fields.into_iter().map(text).collect()
}

/// The problem with a tensor that cannot be a weight.
pub(super) fn of_other_type(kind: &str) -> String {
    let known: Vec<&str> = TYPES.iter().map(|(known, _)| *known).collect();
    format!("expected numbers of the type {}, found {kind}", known.join(", "))
}

/// Reads the header entry of a tensor.
fn tensor(input: &Input, name: String, value: Value, start: u64) -> Result<Tensor> {
    let fail = |problem: String| input.damaged(name.as_str(), problem);
    let Value::Map(fields) = &value else { return Err(fail("no description of a tensor".into())) };
    let field = |wanted: &str| fields.iter().find(|(known, _)| known == wanted).map(|(_, value)| value);
    let whole = |value: &Value| match value {
        Value::Int(size) => usize::try_from(*size).ok(),
        _ => None,
    };
    let list = |wanted: &str| -> Option<Vec<usize>> {
        match field(wanted)? {
            Value::List(sizes) => sizes.iter().map(whole).collect(),
            _ => None,
        }
    };
    let (Some(shape), Some(offsets)) = (list("shape"), list("data_offsets")) else {
        return Err(fail("no `shape` or no `data_offsets` of whole numbers".into()));
    };
    let Some(Value::Text(found)) = field("dtype") else {
        return Err(fail(format!("numbers of {}", field("dtype").unwrap_or(&Value::Null))));
    };
    let (kind, size) = match TYPES.iter().find(|(known, _)| known == found) {
        Some(&(_, number)) => (Kind::Weight(number), Some(number.size())),
        None => (Kind::Other(found.clone()), None),
    };
    let bytes = size.and_then(|size| shape.iter().try_fold(size, |n, &size| n.checked_mul(size)));
    match offsets[..] {
        [from, to] if from <= to && (size.is_none() || bytes == Some(to - from)) => {
            let (from, to) = (start.checked_add(from as u64), start.checked_add(to as u64));
            let (Some(from), Some(to)) = (from, to.filter(|&to| to <= input.len())) else {
                return Err(fail("its numbers exceed the file".into()));
            };
            Ok(Tensor { name, shape, kind, start: from, end: to })
        }
        _ => Err(fail(format!("a shape of {shape:?} at the bytes {offsets:?}"))),
    }
}
