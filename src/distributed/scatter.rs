//! Distribution of an array of rank 0 over all ranks.

use ndarray::{Array, ArrayBase, Axis, Data, Dimension, IxDyn, RemoveAxis};

use super::ranks::part;
use super::{Communicator, RankSettings, Ranks};
use crate::error::{Error, ExpectedAxis, ExpectedShape, RankFault, Result};
use crate::state::StateValue;

/// The most numbers of one message, which bounds the memory of a rank by twice its own rows.
const MESSAGE: usize = 1 << 20;

/// Distributes the rows of an array of rank 0, such as one read from a file, over all ranks. The rows keep their order. The
/// parts are as equal as possible, the first ones larger, and some are empty if there are fewer rows than ranks.
/// [`StateValue`] lists the element types. Train on the parts with [`Fit::sharded`](crate::Fit::sharded).
///
/// # Errors
/// [`Error::Argument`] if rank 0 passes no array, or another rank passes one; the other ranks return
/// [`RankFault::Failed`]. [`RankFault`] if a rank cannot be reached.
///
/// # Example
/// ```
/// use cornu::distributed::{Communicator, scatter, threads};
/// let all = ndarray::array![[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]];
/// let parts = threads(2, |world| {
///     let read = (world.rank() == 0).then(|| all.clone());
///     scatter(world, read.as_ref())
/// });
/// let rows: Vec<usize> = parts.into_iter().map(|part| Ok(part?.nrows())).collect::<cornu::Result<_>>()?;
/// assert_eq!(rows, [2, 1]);
/// # Ok::<(), cornu::Error>(())
/// ```
pub fn scatter<A, S, D>(world: &impl Communicator, array: Option<&ArrayBase<S, D>>) -> Result<Array<A, D>>
where
    A: StateValue + Clone,
    S: Data<Elem = A>,
    D: Dimension + RemoveAxis,
{
    let missing = || Error::argument("array", "an array on rank 0", "none");
    let Some(ranks) = Ranks::of(RankSettings::over(Some(world))) else {
        return array.map(ArrayBase::to_owned).ok_or_else(missing);
    };
    let own = match (array, ranks.is_first()) {
        (None, true) => Err(missing()),
        (Some(_), false) => Err(Error::argument("array", "none except on rank 0", "an array")),
        (Some(array), true) if array.ndim() == 0 => {
            let expected = ExpectedShape::Axes(vec![ExpectedAxis::Named("rows"), ExpectedAxis::Others]);
            Err(Error::ArrayShape { argument: "array", expected, found: Vec::new() })
        }
        _ => Ok(()),
    };
    ranks.agree(own)?;
    ranks.alike(vec![("scattered array".into(), format!("{} in {:?} dimensions", A::WHAT, D::NDIM))])?;
    let mut shape = ranks.broadcast(array.map_or_else(Vec::new, |array| array.shape().to_vec()))?;
    let rows = shape[0];
    let width: usize = shape[1..].iter().product();
    let of_rank = |rank| part(rows, rank, ranks.size());
    if let Some(array) = array {
        for rank in 1..ranks.size() {
            let values = array.slice_axis(Axis(0), of_rank(rank).into());
            let mut values = values.iter();
            for start in (0..of_rank(rank).len() * width).step_by(MESSAGE) {
                let count = MESSAGE.min(of_rank(rank).len() * width - start);
                let mut bytes = Vec::with_capacity(count * A::LEAST);
                values.by_ref().take(count).for_each(|value| value.put(&mut bytes));
                world.send(rank, &bytes)?;
            }
        }
        return Ok(array.slice_axis(Axis(0), of_rank(0).into()).to_owned());
    }
    shape[0] = of_rank(ranks.rank()).len();
    let len = shape[0] * width;
    let mut values = Vec::with_capacity(len);
    while values.len() < len {
        let bytes = world.receive(0)?;
        let mut rest = &*bytes;
        let before = values.len();
        values.extend(std::iter::from_fn(|| A::take(&mut rest)).take(MESSAGE.min(len - before)));
        if !rest.is_empty() || values.len() == before {
            return Err(broken());
        }
    }
    let array = Array::from_shape_vec(IxDyn(&shape), values).map_err(|_| broken())?;
    array.into_dimensionality().map_err(|_| broken())
}

fn broken() -> Error {
    RankFault::Failed { rank: 0, cause: "expected a message with part of an array".into() }.into()
}
