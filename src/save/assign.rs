//! Weights of a model from arrays of a file. All arrays are read before the first weight changes.

use crate::error::Result;
use crate::files::array::Array;
use crate::files::budget::Budget;
use crate::files::input::Input;
use crate::model::Sequential;
use crate::scalar::Scalar;

#[cfg(any(feature = "npy", feature = "safetensors"))]
/// Reads all weights into separate memory and then sets them, so that an error changes nothing.
///
/// `find` locates the weight of a path, and `names` lists the available paths.
pub(super) fn load<'a, F: Scalar>(
    model: &mut Sequential<F>,
    names: &[String],
    find: &dyn Fn(usize) -> Result<(&'a Input<'a>, Array)>,
    budget: &Budget,
) -> Result<()> {
    let weights = model.weights()?;
    let paths: Vec<String> = weights.iter().map(|(path, _)| path.clone()).collect();
    if let Some(name) = names.iter().find(|name| !paths.contains(name)) {
        return Err(crate::Error::Unknown { what: "weight in the model", name: name.clone(), known: paths });
    }
    let mut values: Vec<Vec<F>> = Vec::new();
    for (path, weight) in weights {
        let Some(place) = names.iter().position(|name| *name == path) else {
            return Err(crate::Error::Unknown {
                what: "weight in the file",
                name: path,
                known: names.to_vec(),
            });
        };
        let (input, array) = find(place)?;
        if array.shape != weight.shape() {
            let (expected, found) = (weight.shape().to_vec(), array.shape);
            return Err(crate::Error::WeightShape { path, expected, found });
        }
        values.push(read(input, &array, &path, budget)?);
    }
    set(model, values);
    Ok(())
}

/// Reads an array's numbers, which must be finite.
pub(super) fn read<F: Scalar>(input: &Input, array: &Array, path: &str, budget: &Budget) -> Result<Vec<F>> {
    budget.take_many::<F>(array.len()).map_err(|spent| input.spent(path, spent))?;
    let mut value = vec![F::zero(); array.len()];
    array.fill(input, path, &mut value)?;
    match value.iter().position(|value| !value.is_finite()) {
        Some(place) => {
            Err(input
                .damaged(path, format!("expected finite values, found {} at index {place}", value[place])))
        }
        None => Ok(value),
    }
}

/// Sets all weights, one value per weight, in the order of the model.
pub(super) fn set<F: Scalar>(model: &mut Sequential<F>, values: Vec<Vec<F>>) {
    let mut values = values.into_iter();
    model.walk_mut(&mut |_, param| {
        if let Some(value) = values.next() {
            param.value.copy_from_slice(&value);
        }
    });
}
