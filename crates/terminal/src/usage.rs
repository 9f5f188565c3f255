//! Mistakes in the arguments, told in one line.

/// What `error` says: the complaint and its tip, without the usage text that follows them.
pub(crate) fn in_words(error: &clap::Error) -> String {
    let text = error.render().to_string();
    let mut words = String::new();
    for line in text.lines().map(str::trim) {
        if line.starts_with("Usage:") || line.starts_with("For more information") {
            break;
        }
        if line.is_empty() {
            continue;
        }
        if let Some(tip) = line.strip_prefix("tip: ") {
            words.push_str("; ");
            words.push_str(tip);
        } else {
            words.push(' ');
            words.push_str(line.strip_prefix("error: ").unwrap_or(line));
        }
    }
    let words = words.trim();
    format!("{words} (`--help` lists what there is)")
}
