//! Writing of a model or its weights.

use std::io::{self, Write};

use super::super::{json, preparation};
use super::{CHECKSUM, COMPILE, CONFIG, Checksum, OPTIMIZER, PREPARATIONS, STATE};
use crate::config::Value;
use crate::error::Result;
use crate::files::array::Number;
use crate::model::Sequential;
use crate::param::Param;
use crate::scalar::Scalar;

/// The content of a file: the header, and the numbers in its order.
pub(in crate::save) struct PreparedFile<'a, F: Scalar> {
    header: String,
    arrays: Vec<&'a [F]>,
}

/// Prepares a whole model.
pub(in crate::save) fn prepare<F: Scalar>(model: &Sequential<F>) -> Result<PreparedFile<'_, F>> {
    let mut metadata = vec![(CONFIG, json::write(&model.config()?.into())?)];
    let mut state = vec![
        ("seed".to_string(), Value::from(model.seed.value().to_string())),
        ("epochs".into(), model.epochs_seen.to_string().into()),
    ];
    if let (Some(settings), Some(compiled)) = (model.compile_config()?, &model.compiled) {
        metadata.push((COMPILE, json::write(&settings)?));
        state.push(("steps".into(), compiled.steps.to_string().into()));
    }
    metadata.push((STATE, json::write(&Value::Map(state))?));
    metadata.extend(preparation::write(model)?.map(|text| (PREPARATIONS, text)));
    let mut tensors = weights(model);
    model.walk(&mut |path, _, param: &Param<F>| {
        let average = param.average.iter().map(|values| ("average".to_string(), values));
        let accumulated = param.accumulated.iter().map(|values| ("accumulated".to_string(), values));
        for (name, values) in average.chain(accumulated) {
            tensors.push((format!("{OPTIMIZER}/{path}/{name}"), param.shape().to_vec(), values));
        }
        let optimizer = model.compiled.as_ref().map(|compiled| &compiled.optimizer);
        for (slot, values) in param.slots.iter().enumerate() {
            if let Some(shape) = optimizer.and_then(|rule| rule.slot_shape(slot, &path, param.shape())) {
                tensors.push((format!("{OPTIMIZER}/{path}/{slot}"), shape, values));
            }
        }
    });
    assemble(metadata, tensors)
}

/// Prepares only the weights.
pub(in crate::save) fn prepare_weights<F: Scalar>(model: &Sequential<F>) -> Result<PreparedFile<'_, F>> {
    assemble(Vec::new(), weights(model))
}

type Tensor<'a, F> = (String, Vec<usize>, &'a [F]);

fn weights<F: Scalar>(model: &Sequential<F>) -> Vec<Tensor<'_, F>> {
    let mut tensors: Vec<Tensor<F>> = Vec::new();
    model.walk(&mut |path, _, param| tensors.push((path, param.shape().to_vec(), param.value())));
    tensors
}

fn assemble<'a, F: Scalar>(
    metadata: Vec<(&str, String)>,
    tensors: Vec<Tensor<'a, F>>,
) -> Result<PreparedFile<'a, F>> {
    let number = Number::of_scalar::<F>();
    let kind = if number == Number::F32 { "F32" } else { "F64" };
    let mut texts = vec![("format".to_string(), Value::from("cornu"))];
    texts.extend(metadata.into_iter().map(|(name, text)| (name.to_string(), text.into())));
    let mut sum = Checksum::new();
    for (name, value) in &texts {
        if let Value::Text(text) = value {
            sum.word(name);
            sum.word(text);
        }
    }
    let (mut fields, mut at, mut arrays) = (Vec::new(), 0, Vec::new());
    for (name, shape, values) in tensors {
        sum.tensor(&name, kind, &shape);
        let end = at + size_of_val(values);
        let about = vec![
            ("dtype".to_string(), Value::from(kind)),
            ("shape".into(), shape.into()),
            ("data_offsets".into(), vec![at, end].into()),
        ];
        fields.push((name, Value::Map(about)));
        arrays.push(values);
        at = end;
    }
    // The checksum covers the numbers, which come last.
    for values in &arrays {
        let hashed = number.emit(values, &mut |piece| {
            sum.0.update(piece);
            Ok(())
        });
        hashed.map_err(crate::Error::outside)?;
    }
    texts.push((CHECKSUM.into(), sum.finish().into()));
    fields.insert(0, ("__metadata__".into(), Value::Map(texts)));
    let mut header = json::write(&Value::Map(fields))?;
    // Align the numbers to a multiple of eight bytes.
    header.extend(std::iter::repeat_n(' ', header.len().next_multiple_of(8) - header.len()));
    Ok(PreparedFile { header, arrays })
}

impl<F: Scalar> PreparedFile<'_, F> {
    /// Writes the file.
    pub(in crate::save) fn write(&self, to: &mut dyn Write) -> io::Result<()> {
        to.write_all(&(self.header.len() as u64).to_le_bytes())?;
        to.write_all(self.header.as_bytes())?;
        let number = Number::of_scalar::<F>();
        self.arrays.iter().try_for_each(|values| number.emit(values, &mut |piece| to.write_all(piece)))?;
        to.flush()
    }
}
