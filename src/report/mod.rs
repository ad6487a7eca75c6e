//! A training as one page of HTML: what went wrong and what to do, the curves, the findings with their evidence, how
//! the model does on data, its layers and its settings.
//!
//! The page is one file that asks the network for nothing, and reads well on a phone, on a desktop, and in the dark.

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
use evaluation::Evaluation;

/// What a page about a training shows beside its history.
///
/// | setter | default |
/// |---|---|
/// | `title` | `Training` |
/// | `model`: its layers | none |
/// | `evaluation`: how the model does on data; needs `model` | none |
/// | `class_names`, for the evaluation | indices |
/// | `mistakes`: how many of the worst are drawn | 12 |
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
    /// A page about this training.
    pub fn new(history: &'a History) -> Self {
        Report { history, title: "Training".into(), model: None, data: None, class_names: None, mistakes: 12 }
    }

    /// Shows the layers of the model, as they are now.
    pub fn model<G: Scalar>(self, model: &'a Sequential<G>) -> Report<'a, G> {
        let Report { history, title, class_names, mistakes, .. } = self;
        Report { history, title, model: Some(model), data: None, class_names, mistakes }
    }
}

impl<'a, F: Scalar> Report<'a, F> {
    /// What the page is called. Default: `Training`.
    pub fn title(mut self, title: impl Into<String>) -> Self {
        self.title = title.into();
        self
    }

    /// Evaluates the model on this data, as [`Sequential::evaluate`] does, and shows the scores, for classes the
    /// confusion matrix and the scores of each, and the worst mistakes. Best on data that the model has not seen.
    pub fn evaluation(mut self, x: &'a impl Samples<F>, y: &'a impl Samples<F>) -> Self {
        self.data = Some((x, y));
        self
    }

    /// The classes' names, for the evaluation. Default: their indices.
    pub fn class_names(mut self, names: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.class_names = Some(names.into_iter().map(Into::into).collect());
        self
    }

    /// How many of the worst mistakes are drawn. Default: 12.
    pub fn mistakes(mut self, mistakes: usize) -> Self {
        self.mistakes = mistakes;
        self
    }

    /// The page as text.
    ///
    /// # Errors
    /// Those of [`Sequential::evaluate`] and [`Sequential::confusion_matrix`], where there is data; and
    /// [`Error::Argument`](crate::Error::Argument) for data without a model.
    pub fn to_html(&self) -> Result<String> {
        let evaluation = match (self.model, self.data) {
            (_, None) => None,
            (Some(model), Some(data)) => {
                Some(Evaluation::new(model, data, self.class_names.as_deref(), self.mistakes)?)
            }
            (None, Some(_)) => {
                return Err(crate::Error::argument("model", "the model that is evaluated", "none"));
            }
        };
        page::page(self.history, &self.title, self.model, evaluation.as_ref())
    }

    /// Writes the page to a file, whole or not at all.
    ///
    /// # Errors
    /// As [`Report::to_html`], and [`FileError::Io`](crate::error::FileError::Io).
    pub fn save(&self, path: impl AsRef<Path>) -> Result<()> {
        {
            let html = self.to_html()?;
            crate::save::atomic::save(path.as_ref(), |to| to.write_all(html.as_bytes()))
        }
    }
}

impl<F: Scalar> fmt::Debug for Report<'_, F> {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.debug_struct("Report").field("title", &self.title).finish_non_exhaustive()
    }
}

impl History {
    /// Writes a page about the training to an HTML file: what went wrong and what helps, curves that show their values
    /// under the pointer, the findings with their evidence and trials, settings and seed. [`Report`] shows the model
    /// and an evaluation too.
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
