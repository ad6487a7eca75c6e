//! The batches of an epoch, each with samples of one length.

use std::collections::BTreeMap;
use std::ops::Range;

/// The places in the order of an epoch where the batches end.
#[derive(Default)]
pub(crate) struct Batches {
    batch_size: usize,
    /// The number of samples.
    total: usize,
    /// The end of each batch, if samples differ in length.
    ends: Option<Vec<usize>>,
}

impl Batches {
    /// Cuts the order into batches. If samples differ in length, it changes the order: a batch has samples of one length, and
    /// stands where its last sample was. Those that are not full come last.
    pub(crate) fn new(
        order: &mut Vec<usize>,
        total: usize,
        batch_size: usize,
        lengths: Option<&[usize]>,
    ) -> Self {
        let Some(lengths) = lengths else { return Batches { batch_size, total, ends: None } };
        let mut ends = Vec::new();
        let mut waiting: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
        for index in std::mem::take(order) {
            let batch = waiting.entry(lengths[index]).or_default();
            batch.push(index);
            if batch.len() == batch_size {
                order.append(batch);
                ends.push(order.len());
            }
        }
        for mut batch in waiting.into_values().filter(|batch| !batch.is_empty()) {
            order.append(&mut batch);
            ends.push(order.len());
        }
        Batches { batch_size, total, ends: Some(ends) }
    }

    /// The number of batches.
    pub(crate) fn count(&self) -> usize {
        self.ends.as_ref().map_or(self.total.div_ceil(self.batch_size), Vec::len)
    }

    /// The places of a batch in the order.
    pub(crate) fn places(&self, batch: usize) -> Range<usize> {
        match &self.ends {
            Some(ends) => batch.checked_sub(1).map_or(0, |before| ends[before])..ends[batch],
            None => batch * self.batch_size..self.total.min((batch + 1) * self.batch_size),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn batches_have_samples_of_one_length() {
        let lengths = [5, 3, 5, 3, 3, 5, 5, 2];
        let mut order = vec![7, 0, 1, 2, 3, 4, 5, 6];
        let batches = Batches::new(&mut order, 8, 2, Some(&lengths));
        let all: Vec<_> = (0..batches.count()).map(|batch| order[batches.places(batch)].to_vec()).collect();
        assert_eq!(all, [vec![0, 2], vec![1, 3], vec![5, 6], vec![7], vec![4]]);
    }

    #[test]
    fn the_order_is_kept_for_samples_of_one_shape() {
        let mut order = vec![2, 0, 1];
        let batches = Batches::new(&mut order, 3, 2, None);
        assert_eq!((order, batches.count()), (vec![2, 0, 1], 2));
        assert_eq!((batches.places(0), batches.places(1)), (0..2, 2..3));
    }
}
