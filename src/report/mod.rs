//! Reports: a training run as one HTML page with findings and advice, curves, an evaluation, layers and settings.
//!
//! The page is a single file without network requests, and suits phones, desktops and dark mode.

mod chart;
mod evaluation;
mod findings;
mod html;
mod markdown;
mod mistakes;
mod page;

use std::fmt;
use std::path::Path;

use crate::error::Result;
use crate::model::Sequential;
use crate::samples::Samples;
use crate::scalar::Scalar;
use crate::training::History;
use evaluation::EvaluationSection;

/// A report about a training run, as an HTML page.
///
/// | setter | default |
/// |---|---|
/// | `title` | `Training` |
/// | `model`: shows its layers | none |
/// | `evaluation`: evaluates the model on data; needs `model` | none |
/// | `class_names`, for the evaluation | indices |
/// | `mistakes`: the number of worst mistakes to draw | 12 |
///
/// # Example
/// ```
/// use cornu::prelude::*;
/// use cornu::report::Report;
/// use ndarray::array;
/// let (x, y) = (array![[0.0, 1.0], [1.0, 0.0], [0.9, 0.2], [0.1, 0.7]], array![0, 1, 1, 0]);
/// let mut model = Sequential::new().seed(1).add(Dense::new(2).activation(Activation::Softmax));
/// model.compile(Adam::new(0.1), SparseCategoricalCrossentropy::new(), [Accuracy::new()])?;
/// let history = model.fit(&x, &y, &Fit::new().epochs(20).verbose(Verbose::Silent))?;
/// let page = Report::new(&history)
///     .title("Two classes")
///     .model(&model)
///     .evaluation(&x, &y)
///     .class_names(["rest", "spike"])
///     .to_html()?;
/// assert!(page.contains("Confusion matrix") && page.contains("spike"));
/// # Ok::<(), cornu::Error>(())
/// ```
#[derive(Clone)]
pub struct Report<'a, F: Scalar = f32> {
    history: &'a History,
    title: String,
    model: Option<&'a Sequential<F>>,
    data: Option<(&'a dyn Samples<F>, &'a dyn Samples<F>)>,
    class_names: Option<Vec<String>>,
    mistakes: usize,
}

impl<'a> Report<'a, f32> {
    /// Creates a report about this training.
    pub fn new(history: &'a History) -> Self {
        Report { history, title: "Training".into(), model: None, data: None, class_names: None, mistakes: 12 }
    }

    /// Shows the layers of the model, as they are now. Default: none.
    pub fn model<G: Scalar>(self, model: &'a Sequential<G>) -> Report<'a, G> {
        let Report { history, title, class_names, mistakes, .. } = self;
        Report { history, title, model: Some(model), data: None, class_names, mistakes }
    }
}

impl<'a, F: Scalar> Report<'a, F> {
    /// The title of the page. Default: `Training`.
    pub fn title(mut self, title: impl Into<String>) -> Self {
        self.title = title.into();
        self
    }

    /// Evaluates the model on this data, as [`Sequential::evaluate`] does. Default: none.
    ///
    /// The page shows the scores, for classifiers also the confusion matrix and the scores of each class, and the worst
    /// mistakes. Use data that the model has not seen.
    pub fn evaluation(mut self, x: &'a impl Samples<F>, y: &'a impl Samples<F>) -> Self {
        self.data = Some((x, y));
        self
    }

    /// The class names of the evaluation. Default: the indices.
    pub fn class_names(mut self, names: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.class_names = Some(names.into_iter().map(Into::into).collect());
        self
    }

    /// The number of worst mistakes that are drawn. Default: 12.
    pub fn mistakes(mut self, mistakes: usize) -> Self {
        self.mistakes = mistakes;
        self
    }

    /// Returns the page as text.
    ///
    /// # Errors
    /// Those of [`Sequential::evaluate`] and [`Sequential::confusion_matrix`] if there is data to evaluate, and
    /// [`Error::Argument`](crate::Error::Argument) for data without a model.
    pub fn to_html(&self) -> Result<String> {
        let evaluation = match (self.model, self.data) {
            (_, None) => None,
            (Some(model), Some((x, y))) => {
                Some(EvaluationSection::new(model, x, y, self.class_names.as_deref(), self.mistakes)?)
            }
            (None, Some(_)) => {
                return Err(crate::Error::argument("model", "the model that is evaluated", "none"));
            }
        };
        page::page(self.history, &self.title, self.model, evaluation.as_ref())
    }

    /// Writes the page to a file, atomically.
    ///
    /// # Errors
    /// Those of [`Report::to_html`], and [`FileError::Io`](crate::error::FileError::Io).
    pub fn save(&self, path: impl AsRef<Path>) -> Result<()> {
        let html = self.to_html()?;
        crate::save::atomic::save(path.as_ref(), |to| to.write_all(html.as_bytes()))
    }
}

impl<F: Scalar> fmt::Debug for Report<'_, F> {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.debug_struct("Report").field("title", &self.title).finish_non_exhaustive()
    }
}

impl History {
    /// Writes a report about the training to an HTML file.
    ///
    /// It has the findings with their evidence and trials, interactive curves, the settings and the seed. Use
    /// [`Report`] to add the model and an evaluation.
    ///
    /// # Errors
    /// [`FileError::Io`](crate::error::FileError::Io).
    ///
    /// # Example
    /// ```
    /// use cornu::prelude::*;
    /// let mut model = Sequential::new().seed(1).add(Dense::new(1));
    /// model.compile(Sgd::new(0.1), MeanSquaredError::new(), ())?;
    /// let x = ndarray::array![[0.0], [0.5], [1.0], [1.5]];
    /// let history = model.fit(&x, &x, &Fit::new().epochs(20).verbose(Verbose::Silent))?;
    /// let path = std::env::temp_dir().join("cornu-example-report.html");
    /// history.report(&path)?;
    /// assert!(std::fs::read_to_string(&path).is_ok_and(|page| page.starts_with("<!DOCTYPE html>")));
    /// # std::fs::remove_file(&path).map_err(Error::outside)?;
    /// # Ok::<(), cornu::Error>(())
    /// ```
    pub fn report(&self, path: impl AsRef<Path>) -> Result<()> {
        Report::new(self).save(path)
    }
}
