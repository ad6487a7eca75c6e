//! The numbers behind each finding, for programs, and the rows in which they are measured.

use super::codes::Code;
use super::evidence::{Evidence, LayerFacts};
use super::finding::{Finding, Measurement};

/// What is measured in a sample of rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum MeasuredRows {
    /// The training data before the training.
    Data,
    /// The batch before the first step.
    FirstBatch,
    /// The sampled batches of the last epoch.
    LastEpoch,
}

impl Finding {
    /// Adds the numbers that the code is about and, if the evidence does not state them, the rows in which they are measured.
    pub(super) fn measure(mut self, code: Code, e: &Evidence) -> Self {
        let mut numbers = Numbers(&mut self.measurements);
        numbers.of_code(code, &self.layers, e);
        let says = |line: &String| {
            ["sampled row", "first batch of", "compared rows"].iter().any(|words| line.contains(words))
        };
        match measured_rows(code).and_then(|rows| rows.described(e)) {
            Some(rows) if !self.evidence.iter().any(says) => self.evidence(rows),
            _ => self,
        }
    }
}

/// The rows in which the evidence of a finding is measured; `None` if it has none, or is a sum over all rows.
fn measured_rows(code: Code) -> Option<MeasuredRows> {
    use Code::{
        N0101, N0102, N0103, N0104, N0105, N0107, N0108, N0202, N0203, N0301, N0302, N0303, N0404, N0405,
        N0406, N0407, N0408,
    };
    Some(match code {
        N0101 | N0104 | N0105 | N0107 | N0108 | N0203 => MeasuredRows::Data,
        N0102 | N0202 | N0301 => MeasuredRows::FirstBatch,
        N0103 | N0302 | N0303 | N0404 | N0405 | N0406 | N0407 | N0408 => MeasuredRows::LastEpoch,
        _ => return None,
    })
}

impl MeasuredRows {
    fn described(self, e: &Evidence) -> Option<String> {
        Some(match self {
            MeasuredRows::Data if e.data.sampled_rows > 0 => {
                format!("measured in {} sampled rows of {}", e.data.sampled_rows, e.data.rows)
            }
            MeasuredRows::FirstBatch => {
                format!("measured in the first batch of {} rows", e.first.as_ref()?.rows)
            }
            MeasuredRows::LastEpoch => {
                let rows = e.curves.epochs.last()?.rows;
                let rows =
                    if rows > 0 { rows } else { e.layers.iter().map(|layer| layer.sample.rows).max()? };
                (rows > 0)
                    .then(|| format!("measured in {rows} sampled rows of epoch {}", e.curves.epochs.len()))?
            }
            MeasuredRows::Data => return None,
        })
    }
}

/// Collects numbers with their names and units.
struct Numbers<'m>(&'m mut Vec<Measurement>);

impl Numbers<'_> {
    /// Adds a number, unless the rule has added one of this name.
    fn add<'u>(&mut self, name: impl Into<String>, value: f64, unit: impl Into<Option<&'u str>>) {
        let name = name.into();
        if !self.0.iter().any(|known| known.name == name) {
            let unit = unit.into().map(str::to_string);
            self.0.push(Measurement { name, value, unit });
        }
    }

    fn count(&mut self, name: &str, value: usize, unit: &str) {
        self.add(name, value as f64, unit);
    }

    /// Adds the numbers that a code is about.
    fn of_code(&mut self, code: Code, layers: &[String], e: &Evidence) {
        use Code::*;
        let named = |layer: &&LayerFacts| layers.contains(&layer.name);
        let layers: Vec<&LayerFacts> = e.layers.iter().filter(named).collect();
        match code {
            N0101 | N0104 | N0105 | N0106 | N0107 | N0108 | N0203 | N0215 => self.targets(e),
            N0102 | N0103 => {
                self.outputs(e);
                if let Some(epoch) = e.curves.epochs.last() {
                    self.add("logits that are 0", 100.0 * epoch.zero_logits, "%");
                }
            }
            N0109 | N0110 | N0115 => layers.iter().for_each(|layer| self.size(layer)),
            N0111 => self.weights(e),
            N0112 => e.plan.learning_rate.into_iter().for_each(|rate| self.add("learning rate", rate, None)),
            N0113 => self.plan(e),
            N0114 => self.dropout(e),
            N0202 => self.inputs(e),
            N0204 | N0210 => self.classes(e),
            N0205 => {
                self.classes(e);
                self.count("changes of the class", e.data.targets.changes, "rows");
                if let Some(part) = &e.data.validation {
                    self.count("sampled validation rows", part.rows, "rows");
                }
            }
            N0211 => {
                self.count("sampled training rows", e.data.sampled_rows, "rows");
                self.count("sampled validation rows", e.data.validation_rows, "rows");
            }
            N0206 => {
                self.count("compared training rows", e.data.repeats.rows, "rows");
                self.count("compared validation rows", e.data.repeats.validation.0, "rows");
                self.count("validation rows that equal a training row", e.data.repeats.validation.1, "rows");
            }
            N0207 => {
                self.count("compared training rows", e.data.repeats.rows, "rows");
                self.count("rows that equal one of another class", e.data.repeats.contradicted, "rows");
                self.add("highest possible accuracy on these rows", 100.0 * e.data.repeats.reachable, "%");
            }
            N0208 => {
                self.count("features", e.data.features.len(), "features");
                self.count("varying features", e.data.varying_count, "features");
                self.count("sampled rows", e.data.sampled_rows, "rows");
            }
            N0120 => {
                for (place, error) in e.inference.iter().flat_map(|own| &own.layer_errors).enumerate() {
                    let what = place.checked_sub(1).map_or("the inputs", |index| &*e.layers[index].name);
                    let name = format!("error of the best simple predictor from {what}");
                    self.add(name, 100.0 * error, "% of a constant's");
                }
            }
            N0123 => {
                if let Some(values) = e.inference.as_ref().and_then(|own| own.categories.as_ref()) {
                    let mut share =
                        |name: &str, error: f64| self.add(name, 100.0 * error, "% of a constant's");
                    share("squared error with categories", values.categories);
                    share("squared error with numbers", values.numbers);
                    share("error with categories", values.error);
                    share("error of the network", values.network);
                    self.count("distinct values", values.levels, "values");
                    self.count("predicted rows", values.rows, "rows");
                }
            }
            N0214 => {
                if let Some(extremes) = &e.data.extremes {
                    self.count("feature", extremes.feature, "feature");
                    self.add("extreme value", extremes.value, None);
                    self.count("rows with extreme values", extremes.count, "rows");
                    self.count("compared rows", extremes.rows, "rows");
                }
            }
            N0212 => {
                if let Some(copy) = &e.data.copied_target {
                    self.count("copied feature", copy.feature, "feature");
                    self.count("sampled rows", copy.rows, "rows");
                }
            }
            N0116 => {
                self.count("batch size", e.plan.batch_size, "rows");
                self.losses(e);
                if let Some(inference) = &e.inference {
                    self.add("loss of predictions for training rows", inference.loss, "");
                    self.count("predicted rows", inference.rows, "rows");
                }
            }
            N0505 => {
                if let Some(simple) = e.simple_predictors() {
                    let mut share = |name: &str, error: f64| {
                        self.add(name, 100.0 * error, "% of the error of a constant")
                    };
                    share("error of the network", simple.network);
                    simple.linear.into_iter().for_each(|error| share("error of a linear model", error));
                    simple
                        .feature
                        .into_iter()
                        .for_each(|(_, error)| share("error of the best feature", error));
                    self.count("predicted rows", simple.rows, "rows");
                }
            }
            N0209 => self.count("ranks", e.data.shards.len(), "ranks"),
            N0301 | N0302 => {
                self.losses(e);
                self.outputs(e);
                if let Some(epoch) = e.curves.epochs.last() {
                    self.add("wrong rows with a clipped probability", 100.0 * epoch.clipped, "%");
                    self.count("sampled rows", epoch.rows, "rows");
                }
            }
            N0303 | N0406 | N0407 => self.gradients(e),
            N0404 | N0405 => layers.iter().for_each(|layer| self.units(layer)),
            N0408 => self.predictions(e),
            N0409 => {
                self.losses(e);
                if let [first, .., last] = &*e.curves.epochs {
                    self.add("mean penalty of the first epoch", first.penalty, None);
                    self.add("mean penalty of the last epoch", last.penalty, None);
                }
            }
            N0503 => {
                self.losses(e);
                let held_out = || e.curves.validation_losses();
                held_out()
                    .min_by(f64::total_cmp)
                    .into_iter()
                    .for_each(|loss| self.add("lowest validation loss without penalty", loss, None));
                held_out()
                    .last()
                    .into_iter()
                    .for_each(|loss| self.add("last validation loss without penalty", loss, None));
            }
            N0401 | N0402 | N0403 | N0501 | N0502 | N0504 => self.losses(e),
            _ => {}
        }
    }

    fn targets(&mut self, e: &Evidence) {
        let targets = &e.data.targets;
        if e.data.sampled_rows > 0 {
            self.add("smallest target", targets.range.0, None);
            self.add("largest target", targets.range.1, None);
            self.add("mean of the targets", targets.mean, None);
            self.add("standard deviation of the targets", targets.deviation, None);
            self.count("distinct targets, counted up to 64", targets.distinct, "values");
            self.count("sampled rows", e.data.sampled_rows, "rows");
        }
    }

    fn outputs(&mut self, e: &Evidence) {
        if let Some(first) = &e.first {
            self.add("smallest output of the first batch", first.output.0, None);
            self.add("largest output of the first batch", first.output.1, None);
            self.count("rows of the first batch", first.rows, "rows");
        }
    }

    fn inputs(&mut self, e: &Evidence) {
        self.count("features", e.data.features.len(), "features");
        if let Some(first) = &e.first {
            self.add("root mean square of the inputs", first.inputs.0, None);
            self.add("standard deviation of the inputs", first.inputs.1, None);
            first
                .sums
                .into_iter()
                .for_each(|sums| self.add("root mean square of the weighted sums", sums, None));
            self.count("rows of the first batch", first.rows, "rows");
        }
    }

    fn classes(&mut self, e: &Evidence) {
        let rows: usize = e.data.targets.classes.iter().sum();
        for (class, count) in e.data.targets.classes.iter().enumerate().take(64) {
            self.add(format!("share of class {class}"), 100.0 * *count as f64 / rows.max(1) as f64, "%");
        }
        self.count("rows whose class is counted", rows, "rows");
    }

    fn weights(&mut self, e: &Evidence) {
        for (layer, kernel) in e.weighted() {
            let name = &layer.name;
            self.add(
                format!("standard deviation of the initial weights of `{name}`"),
                kernel.deviation,
                None,
            );
            self.add(format!("usual standard deviation in `{name}`"), kernel.usual, None);
        }
    }

    fn plan(&mut self, e: &Evidence) {
        e.plan.epochs.into_iter().for_each(|epochs| self.count("planned epochs", epochs, "epochs"));
        self.count("batches of an epoch", e.plan.batches, "steps");
        self.count("batch size", e.plan.batch_size, "rows");
        self.count("steps of previous runs", e.plan.before as usize, "steps");
    }

    fn dropout(&mut self, e: &Evidence) {
        for layer in e.layers.iter().filter(|layer| layer.drop_rate > 0.0) {
            self.add(format!("dropout of `{}`", layer.name), 100.0 * layer.drop_rate, "%");
        }
    }

    fn size(&mut self, layer: &LayerFacts) {
        if let Some(kernel) = &layer.kernel {
            self.count(&format!("inputs of `{}`", layer.name), kernel.inputs, "inputs");
            self.count(&format!("units of `{}`", layer.name), kernel.units, "units");
        }
        if layer.sample.rows > 0 {
            self.count("rows that leave the layer as zeros", layer.sample.lost, "rows");
            self.count("sampled rows", layer.sample.rows, "rows");
        }
    }

    fn units(&mut self, layer: &LayerFacts) {
        let sample = &layer.sample;
        let stuck = |count: &&u32| f64::from(**count) >= 0.95 * sample.rows as f64;
        if !sample.alive.is_empty() {
            self.count("units", sample.alive.len(), "units");
            self.count(
                "units that were always 0",
                sample.alive.iter().filter(|alive| !**alive).count(),
                "units",
            );
        }
        if !sample.saturated.is_empty() {
            self.count("units", sample.saturated.len(), "units");
            self.count("saturated units", sample.saturated.iter().filter(stuck).count(), "units");
        }
        self.count("sampled rows", sample.rows, "rows");
    }

    fn gradients(&mut self, e: &Evidence) {
        for (layer, _) in e.weighted() {
            let name = &layer.name;
            self.add(format!("root mean square of the gradient of `{name}`"), layer.sample.gradient, None);
            self.add(format!("change of `{name}` in a step"), 100.0 * layer.sample.step, "% of its weights");
        }
        if let Some(deviation) = e.curves.epochs.last().and_then(|epoch| epoch.output_deviation) {
            self.add("standard deviation of the outputs", deviation, None);
        }
    }

    fn predictions(&mut self, e: &Evidence) {
        let Some(epoch) = e.curves.epochs.last() else { return };
        let rows: usize = epoch.prediction_counts.iter().sum();
        let most = epoch.prediction_counts.iter().enumerate().max_by_key(|(_, count)| **count);
        match most.filter(|_| rows > 0) {
            Some((class, count)) => {
                self.count("most predicted class", class, "class");
                self.add("share of the predictions", 100.0 * *count as f64 / rows as f64, "%");
                let counts = &e.data.targets.classes;
                let (own, all) = (counts.get(class).copied().unwrap_or(0), counts.iter().sum::<usize>());
                self.add("share of the targets", 100.0 * own as f64 / all.max(1) as f64, "%");
                self.count("sampled rows", rows, "rows");
            }
            None => {
                epoch
                    .output_deviation
                    .into_iter()
                    .for_each(|d| self.add("standard deviation of the outputs", d, None));
                self.add("standard deviation of the targets", e.data.targets.deviation, None);
            }
        }
    }

    fn losses(&mut self, e: &Evidence) {
        let mut add =
            |name: &str, loss: Option<f64>| loss.into_iter().for_each(|loss| self.add(name, loss, None));
        add("loss of the first batch", e.first.as_ref().map(|first| first.loss));
        add("loss of the first epoch", e.curves.losses().next());
        add("lowest loss of an epoch", e.curves.losses().min_by(f64::total_cmp));
        add("loss of the last epoch", e.curves.losses().next_back());
        add("loss of the best constant prediction", e.data.targets.scale.map(|scale| scale.baseline));
        self.count("finished epochs", e.curves.epochs.len(), "epochs");
    }
}
