//! Encodes errors that one rank sends to another.

use super::StateValue;
use super::value::sealed::Sealed;
use crate::error::diverged::Divergence;
use crate::error::{Quantity, RankFault};

impl Sealed for Quantity {}
impl StateValue for Quantity {
    const WHAT: &'static str = "a quantity";
    const LEAST: usize = 1;
    fn put(&self, to: &mut Vec<u8>) {
        (*self as u8).put(to);
    }
    fn take(from: &mut &[u8]) -> Option<Self> {
        let all = [Quantity::Loss, Quantity::Gradient, Quantity::Update];
        all.get(usize::from(u8::take(from)?)).copied()
    }
}

impl Sealed for Divergence {}
impl StateValue for Divergence {
    const WHAT: &'static str = "a divergence";
    const LEAST: usize = 2 * usize::LEAST + Quantity::LEAST + f64::LEAST + String::LEAST;
    fn put(&self, to: &mut Vec<u8>) {
        let Divergence { epoch, batch, quantity, value, place } = self;
        epoch.put(to);
        batch.put(to);
        quantity.put(to);
        value.put(to);
        place.put(to);
    }
    fn take(from: &mut &[u8]) -> Option<Self> {
        Some(Divergence {
            epoch: usize::take(from)?,
            batch: usize::take(from)?,
            quantity: Quantity::take(from)?,
            value: f64::take(from)?,
            place: String::take(from)?,
        })
    }
}

const FAILED: u8 = 0;
const DIFFERS: u8 = 1;

impl Sealed for RankFault {}
impl StateValue for RankFault {
    const WHAT: &'static str = "the fault of a rank";
    const LEAST: usize = u8::LEAST + usize::LEAST + String::LEAST;
    fn put(&self, to: &mut Vec<u8>) {
        match self {
            RankFault::Failed { rank, cause } => {
                FAILED.put(to);
                rank.put(to);
                cause.put(to);
            }
            RankFault::Differs { rank, what, expected, found } => {
                DIFFERS.put(to);
                rank.put(to);
                [what, expected, found].into_iter().for_each(|text| text.put(to));
            }
        }
    }
    fn take(from: &mut &[u8]) -> Option<Self> {
        let (kind, rank) = <(u8, usize)>::take(from)?;
        let mut text = || String::take(from);
        match kind {
            FAILED => Some(RankFault::Failed { rank, cause: text()? }),
            DIFFERS => Some(RankFault::Differs { rank, what: text()?, expected: text()?, found: text()? }),
            _ => None,
        }
    }
}
