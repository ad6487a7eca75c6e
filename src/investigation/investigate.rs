//! `investigate`: the remedies of a diagnosis, tested in trial trainings of copies of the model.

use super::search::{Pair, RemedySearch};
use super::trial::{TrialData, TrialSample, TrialSettings};
use crate::data::ClassWeight;
use crate::diagnosis::{Code, Finding, Findings, LEARNED, RemedyTrial};
use crate::error::Result;
use crate::layer::Layer;
use crate::model::Sequential;
use crate::optimizer::Adam;
use crate::param::BuildContext;
use crate::rng::Rng;
use crate::samples::Samples;
use crate::scalar::Scalar;
use crate::training::{Fit, TryRemedies};

/// The number of trials among which the work is divided.
const TRIALS: usize = 16;

impl<F: Scalar> Sequential<F> {
    /// Diagnoses a training and tests the suggested remedies on copies of the model.
    ///
    /// Each remedy is applied alone to a copy with the same initial weights, and the first remedies of all root causes
    /// together. Further remedies, including those suggested for the copy's own training, are then added to the best
    /// copy one by one as long as they improve it. Each copy is trained with these settings on three quarters of a sample
    /// of the data, and scored on the remaining rows; if the sample has fewer than 40 rows, on all of it. Callbacks are not called,
    /// so that a fault in one of them, such as a schedule of the learning rate, does not occur in the trials; the report says so.
    ///
    /// The best copies and the unchanged network are trained two to five more times, with other seeds and other held-out rows. A set of
    /// remedies is recommended if its gain is above 0 with 90 % confidence. Each remedy is then left out in turn, and
    /// dropped if it is not necessary. This takes at most about ten seconds in total. The findings contain the trials, and
    /// those whose remedies prove necessary come first.
    ///
    /// The model, its weights and its random numbers do not change. The limit is an amount of work, not a time, so the
    /// result is reproducible.
    ///
    /// # Errors
    /// As [`Sequential::fit`], before training.
    ///
    /// # Example
    /// ```
    /// use cornu::prelude::*;
    /// let x = ndarray::Array2::from_shape_fn((60, 2), |(i, j)| ((i * 7 + j * 3) % 11) as f32 - 5.0);
    /// let y = x.map_axis(ndarray::Axis(1), |row| 400.0 + row[0]);       // far from what an untrained network answers
    /// let mut model = Sequential::new().seed(1).add(Dense::new(1));
    /// model.compile(Adam::new(0.01), MeanSquaredError::new(), ())?;
    /// let findings = model.investigate(&x, &y, &Fit::new().epochs(5))?;
    /// let scale = findings.of("N0203").expect("the targets' scale");
    /// assert!(scale.trials.iter().any(|trial| trial.learned));
    /// # Ok::<(), cornu::Error>(())
    /// ```
    pub fn investigate(
        &self,
        x: &impl Samples<F>,
        y: &impl Samples<F>,
        settings: &Fit<F>,
    ) -> Result<Findings> {
        let mut findings = self.investigate_from(x, y, settings, None)?;
        findings.has_callbacks = settings.hooks.try_borrow().is_ok_and(|hooks| !hooks.callbacks.is_empty());
        Ok(findings)
    }

    /// As `investigate`, starting from the findings of a training if there are any.
    fn investigate_from(
        &self,
        x: &dyn Samples<F>,
        y: &dyn Samples<F>,
        settings: &Fit<F>,
        known: Option<Findings>,
    ) -> Result<Findings> {
        let sample = TrialSample::new(x, y, settings, self.seed.value())?;
        let (model, data) = self.untrained(&sample, 0)?;
        let all = settings.check(x.count().min(y.count()))?;
        let plan = TrialSettings::new(&model, settings, data.train.rows(), all, TRIALS);
        let (base, found) = plan.train(model.clone(), &data)?;
        let mut findings = known.unwrap_or(found);
        findings.retain(|finding| !settings.rules.allowed.contains(&finding.code));
        findings.failed |= base.skill.is_none_or(|skill| skill < LEARNED);
        let by_recall = findings.of(Code::N0204).is_some() && base.recall.is_some();
        let mut search = RemedySearch::new(Pair { model, data, base }, plan.clone(), by_recall);
        search.run(&findings)?;
        search.prove(&|number| {
            let (model, data) = self.untrained(&sample, number)?;
            let (base, _) = plan.train(model.clone(), &data)?;
            Ok(Pair { model, data, base })
        })?;
        let trials = search.trials();
        let has_learned = trials.iter().any(|trial| trial.learned);
        if !by_recall && search.base().learned_nothing() && !has_learned {
            let loss = search.base().loss;
            findings.take(memorization(search.model(), &sample, loss)?.into_iter().collect());
        }
        for finding in findings.each_mut() {
            let own = trials.iter().filter(|trial| trial.codes.contains(&finding.code));
            finding.trials = own.cloned().collect();
        }
        // The last change of a trial may be one that only its own diagnosis suggests.
        let is_known = |trial: &RemedyTrial| trial.codes.iter().any(|code| findings.of(code).is_some());
        let unknown = trials.iter().find(|trial| trial.advised && !is_known(trial)).cloned();
        if let (Some(trial), Some(first)) = (unknown, findings.each_mut().next()) {
            first.trials.push(trial);
        }
        let (necessary, idle) = search.ranking();
        findings.rank_by_proof(&necessary, &idle);
        Ok(findings)
    }

    /// The network and the data of the pair with this number, before the training.
    fn untrained(&self, sample: &TrialSample<F>, number: usize) -> Result<(Self, TrialData<F>)> {
        let rng = Rng::stream(self.seed.value(), (1 << 52) + number as u64);
        let mut model = self.initial(sample, number)?;
        model.make_stateless();
        Ok((model, TrialData::split(sample, rng)))
    }

    /// A copy with the initial weights: the current ones, or those before the first training. Copies with other numbers
    /// have other seeds, and other initial weights unless the weights are not those of this seed, such as loaded ones.
    fn initial(&self, sample: &TrialSample<F>, number: usize) -> Result<Self> {
        let seed = self.seed.value();
        let other = seed.wrapping_add(number as u64);
        if self.epochs_seen > 0 || !self.is_built() {
            return self.renewed(sample, other);
        }
        let is_drawn = number > 0 && self.has_weights_of(&self.renewed(sample, seed)?);
        if is_drawn { self.renewed(sample, other) } else { Ok(self.clone().seed(other)) }
    }

    /// Whether both have the same weights.
    fn has_weights_of(&self, other: &Self) -> bool {
        let weights = |model: &Self| {
            let mut all = Vec::new();
            model.walk(&mut |_, _, param| all.push(param.value().to_vec()));
            all
        };
        weights(self) == weights(other)
    }

    /// A copy with the initial weights of this seed.
    fn renewed(&self, sample: &TrialSample<F>, seed: u64) -> Result<Self> {
        let mut model = self.clone().seed(seed);
        let input = model.input.clone().unwrap_or_else(|| sample.shape());
        if !model.is_built() {
            model.build_for(&input)?;
        } else {
            let mut shape = input;
            for (index, layer) in model.layers.iter_mut().enumerate() {
                shape = match layer.traits().is_adapted {
                    true => layer.output_shape().unwrap_or(&shape).to_vec(),
                    false => layer.renew(&shape, &mut BuildContext::of_layer(model.seed.value(), index))?,
                };
            }
        }
        model.walk_mut(&mut |_, param| param.forget());
        if let Some(compiled) = &mut model.compiled {
            compiled.steps = 0;
        }
        model.epochs_seen = 0;
        Ok(model)
    }
}

impl<F: Scalar> TryRemedies<F> for Sequential<F> {
    fn try_remedies(
        &self,
        x: &dyn Samples<F>,
        y: &dyn Samples<F>,
        settings: &Fit<F>,
        findings: Findings,
    ) -> Result<Findings> {
        self.investigate_from(x, y, settings, Some(findings))
    }
}

/// The number of rows that a working network can memorize, and the number of steps it takes.
const MEMORIZED: (usize, usize) = (32, 400);

/// The finding that the network memorizes a few rows but learns nothing from all of them: the network works, but the
/// inputs do not determine the targets.
fn memorization<F: Scalar>(
    model: &Sequential<F>,
    sample: &TrialSample<F>,
    loss: Option<f64>,
) -> Result<Option<Finding>> {
    let (rows, steps) = MEMORIZED;
    let rows = rows.min(sample.rows() / 2);
    let few = sample.select(&(0..rows).collect::<Vec<_>>());
    if rows < 4 || few.y.iter().all(|y| *y == few.y[ndarray::IxDyn(&vec![0; few.y.ndim()])]) {
        return Ok(None);
    }
    let mut copy = model.clone();
    if let Some(compiled) = &mut copy.compiled {
        compiled.optimizer = Box::new(Adam::new(0.01));
    }
    let class_weight = ClassWeight::None;
    let plan = TrialSettings { steps, batch_size: rows, shuffle: false, class_weight, whole: true };
    let few = TrialData { train: few, held: None };
    let (end, _) = plan.train(copy, &few)?;
    // Averages of a few rows of noise alone cannot halve the loss of the best constant prediction.
    if end.skill.is_none_or(|skill| skill <= 0.5) {
        return Ok(None);
    }
    let text = |loss: Option<f64>| loss.map_or("NaN".to_string(), |loss| format!("{loss:.4}"));
    let (memorized, held_out) = (text(end.loss), text(loss));
    let mut finding = Code::N0504
        .finding("the inputs do not determine the targets")
        .evidence(format!("loss {memorized} on {rows} memorized rows, {held_out} on held-out rows"))
        .measured("memorized rows", rows as f64, "rows")
        .suggestion("check that the rows of x and y belong together and that x determines y");
    for (name, loss) in [("loss on the memorized rows", end.loss), ("loss on held-out rows", loss)] {
        finding = loss.into_iter().fold(finding, |finding, loss| finding.measured(name, loss, None));
    }
    Ok(Some(finding))
}
