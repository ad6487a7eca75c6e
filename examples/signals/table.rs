//! The confusion matrix, as a table.

use cornu::ndarray::Array1;

/// Prints the confusion matrix and the accuracy.
pub fn print_confusion(truth: &Array1<usize>, predicted: &Array1<usize>, classes: usize) {
    let count = |t: usize, p: usize| truth.iter().zip(predicted).filter(|&(&a, &b)| (a, b) == (t, p)).count();
    print!("\nconfusion matrix (rows: true class, columns: predicted)\n       ");
    (0..classes).for_each(|class| print!("{class:>6}"));
    println!();
    for t in 0..classes {
        print!("{t:>7}");
        (0..classes).for_each(|p| print!("{:>6}", count(t, p)));
        println!();
    }
    let right: usize = (0..classes).map(|class| count(class, class)).sum();
    println!(
        "\naccuracy on {} held-out signals: {:.1} %",
        truth.len(),
        100.0 * right as f64 / truth.len() as f64
    );
}
