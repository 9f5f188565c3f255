//! The HTML report of a study of the auction's economics: one page without network or script.

mod charts;
mod page;

#[cfg(test)]
mod tests;

use breakwater_economics::study::Study;

/// The report of `study` as one HTML page; a function of the study alone.
pub(super) fn render(study: &Study) -> String {
    page::page(study).into_string()
}
