//! What the documentation says in numbers and names is what the code does.

mod examples;
mod fields;
mod parameters;

/// A page of the documentation.
struct Page {
    name: &'static str,
    text: &'static str,
}

impl Page {
    /// Fails unless the page has this line, word for word.
    fn has_line(&self, line: &str) {
        assert!(
            self.text.lines().any(|found| found == line),
            "{} lacks the line that the code makes:\n{line}",
            self.name
        );
    }

    /// The cells of every table row in the section whose heading names `` `name` ``.
    fn rows(&self, name: &str) -> Vec<Vec<String>> {
        let named = format!("`{name}`");
        let mut inside = false;
        let mut rows = Vec::new();
        for line in self.text.lines() {
            if line.starts_with('#') {
                inside = line.contains(&named);
            } else if inside && line.starts_with("| `") {
                let cells = line.trim_matches('|').split('|');
                rows.push(cells.map(|cell| cell.trim().to_owned()).collect());
            }
        }
        rows
    }
}
