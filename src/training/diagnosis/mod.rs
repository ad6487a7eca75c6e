//! Where the diagnosis meets a training: what is looked at, when, and how it is told.

pub(crate) mod sampling;

use crate::callback::{Logs, Verbose, terminal};
use crate::diagnosis::{Code, Diagnose, Finding, Findings, Rules, Severity, Styles, Watch};
use crate::error::{Error, Result};
use crate::model::Sequential;
use crate::samples::Samples;
use crate::scalar::Scalar;
use crate::state::State;
use crate::training::data::{CheckedData, ModelShapes, Rows, RunningScores, TRAINING, TrainingData};
use crate::training::settings::Fit;
use crate::training::step::Trainer;

use sampling::{Budget, plan};
pub(crate) use sampling::{sample, step_time};

impl<F: Scalar> Sequential<F> {
    /// Looks for what would keep the model from learning these data, before any training: a look at the data, and one
    /// pass over a batch. Takes no step and changes nothing.
    ///
    /// # Errors
    /// As [`Sequential::fit`], before training; but numbers that are not finite are a finding.
    ///
    /// # Example
    /// ```
    /// use cornu::prelude::*;
    /// let mut model = Sequential::new().add(Dense::new(3).activation(Activation::Relu)).add(Softmax::new());
    /// model.compile(Sgd::new(0.01), SparseCategoricalCrossentropy::new(), ())?;
    /// let findings = model.check(&ndarray::array![[0.0, 1.0], [1.0, 0.0], [1.0, 1.0]], &ndarray::array![0, 1, 2])?;
    /// assert!(findings.of("N0103").is_some());     // relu between the last Dense and softmax
    /// # Ok::<(), cornu::Error>(())
    /// ```
    pub fn check(&self, x: &impl Samples<F>, y: &impl Samples<F>) -> Result<Findings> {
        let given = TrainingData::Arrays { x, y };
        let mut model = self.built_for(given, false)?.unwrap_or_else(|| self.clone());
        let compiled = model.compiled.as_ref().ok_or(Error::NotCompiled)?;
        let ends = ModelShapes::of(&model)?;
        let data = match CheckedData::new(TRAINING, given, ends, &*compiled.loss) {
            Ok(data) => data,
            Err(error @ Error::NonFinite { .. }) => return Ok(not_finite(&error)),
            Err(error) => return Err(error),
        };
        let count = data.count();
        let plan = plan(&model, compiled, (0, count, count), true);
        let mut watch = sampling::watch(
            &model,
            compiled,
            plan,
            (&data, count),
            None,
            Budget::FULL,
            &mut Rows::default(),
        )?;
        let mut measure = RunningScores::new(compiled, "", ends.output, &data.target_shape())?;
        let indices = sample(count, count.min(256));
        watch.begins(0);
        Trainer::new(&mut model).forward(
            &mut model,
            &data,
            &indices,
            &mut measure,
            Some(&mut watch),
            None,
        )?;
        watch.ask(&Rules::default());
        Ok(watch.findings)
    }
}

/// The only finding about data with values that are not finite.
fn not_finite(error: &Error) -> Findings {
    let finding = Code::N0201
        .finding("values that are not finite")
        .saw(error.to_string())
        .help("drop these rows, or replace the values by the mean of their column");
    let mut findings = Findings::default();
    findings.take(vec![finding]);
    findings
}

/// The diagnosis of a `fit`.
pub(crate) struct Diagnosis<'f, F: Scalar> {
    pub(crate) watch: Watch<F>,
    /// Whether this is another rank than the first, which judges.
    follows: bool,
    rules: &'f Rules,
    diagnose: Diagnose,
    tells: bool,
}

impl<'f, F: Scalar> Diagnosis<'f, F> {
    /// The diagnosis that the settings ask for.
    pub(crate) fn new(
        model: &Sequential<F>,
        data: &CheckedData<F>,
        validation: Option<(&CheckedData<F>, usize)>,
        settings: &'f Fit<F>,
        train: usize,
        rows: &mut Rows<F>,
    ) -> Result<Option<Self>> {
        let Some(compiled) = model.compiled.as_ref().filter(|_| settings.diagnose != Diagnose::Off) else {
            return Ok(None);
        };
        let epochs = settings.epochs.saturating_sub(settings.initial_epoch);
        let plan = plan(model, compiled, (epochs, settings.batch_size, train), settings.shuffle);
        let budget = Budget::of(model, &plan, train, data);
        let watch = sampling::watch(model, compiled, plan, (data, train), validation, budget, rows)?;
        Ok(Some(Diagnosis::by(watch, settings, false)))
    }

    /// A diagnosis by this watch.
    pub(crate) fn by(watch: Watch<F>, settings: &'f Fit<F>, follows: bool) -> Self {
        let tells = settings.verbose != Verbose::Silent && !follows;
        Diagnosis { watch, follows, rules: &settings.rules, diagnose: settings.diagnose, tells }
    }

    /// Whether the batch under way is the first.
    pub(crate) fn is_at_the_start(&self) -> bool {
        !self.follows && self.watch.evidence.curves.epochs.is_empty() && self.watch.batch() == 0
    }

    /// After the first forward pass, before the first step.
    pub(crate) fn first(&mut self) {
        let news = self.watch.ask(self.rules);
        self.tell(&news);
    }

    /// At the end of an epoch. Gives a reason to stop where stopping was asked for and there is no hope.
    pub(crate) fn end_epoch(&mut self, logs: &Logs, learning_rate: f64) -> Option<String> {
        if self.follows {
            return None;
        }
        let news = self.watch.end_epoch(&|key| logs.get(key), learning_rate, self.rules);
        self.tell(&news);
        let hopeless = self.diagnose == Diagnose::Stop && self.watch.evidence.failing();
        let error = |finding: &&Finding| finding.severity == Severity::Error;
        let root = self.watch.findings.iter().find(error).filter(|_| hopeless)?;
        Some(format!("error[{}]: {}", root.code, root.title))
    }

    /// Where a number is no longer finite.
    pub(crate) fn diverged(&mut self, error: &Error) {
        if self.follows {
            return;
        }
        let news = self.watch.diverged(error.to_string(), self.rules);
        self.tell(&news);
    }

    /// At the end of the run; `stopped` says why it came before its time.
    pub(crate) fn end(mut self, stopped: Option<String>) -> Findings {
        if self.follows {
            return Findings::default();
        }
        let news = self.watch.end(stopped, self.rules);
        self.tell(&news);
        self.watch.findings
    }

    /// What was seen and found so far.
    pub(crate) fn state(&mut self, state: &mut State) -> Result<()> {
        state.group("diagnosis", |state| self.watch.state(state))
    }

    fn tell(&self, news: &[String]) {
        if self.tells && !news.is_empty() {
            print_findings(&self.watch.findings, &|finding| news.contains(&finding.code));
        }
    }
}

/// Writes the findings that are `shown` to the terminal, and not to standard output, which programs read.
pub(crate) fn print_findings(findings: &Findings, shown: &dyn Fn(&Finding) -> bool) {
    terminal::tell(|coloured| {
        let mut text = String::new();
        // A `String` takes all that is written.
        let _ = findings.write(&mut text, Styles::new(coloured), shown);
        text
    });
}
