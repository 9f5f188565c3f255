//! The part of a document that a command writes.

/// The last line of a block.
pub(super) const END: &str = "<!-- end -->";

/// The first line of the block that `command` writes.
pub(super) fn begin(command: &str) -> String {
    format!("<!-- begin: {command} -->")
}

/// The document with `text` between the lines of the command's block; `None` if it has none.
pub(super) fn replaced(document: &str, command: &str, text: &str) -> Option<String> {
    let begin = begin(command);
    let (before, rest) = document.split_once(&begin)?;
    let (_, after) = rest.split_once(END)?;
    let text = text.trim();
    Some(format!("{before}{begin}\n\n{text}\n\n{END}{after}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_block_changes() {
        let document =
            "a\n<!-- begin: x -->\nold\n<!-- end -->\nb\n<!-- begin: x --quick -->\n<!-- end -->";
        let new = "a\n<!-- begin: x -->\n\nnew\n\n<!-- end -->\nb\n\
                   <!-- begin: x --quick -->\n<!-- end -->";
        assert_eq!(replaced(document, "x", "new\n").as_deref(), Some(new));
        assert_eq!(replaced(new, "x", "new").as_deref(), Some(new));
        assert_eq!(replaced(document, "y", "new"), None);
        assert_eq!(replaced("<!-- begin: x -->", "x", "new"), None);
    }
}
