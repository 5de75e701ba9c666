//! What an element holds, read as a whole.

use dom_query::{Document, NodeData, NodeId};

use super::tags::Tag;

/// The longest cell and the longest row of a table that are read as one line, in bytes, and the most cells.
const LONGEST_CELL: usize = 160;
const LONGEST_ROW: usize = 600;
const MOST_CELLS: usize = 60;

/// The text of an element that is read as a whole, with something put between parts that would be glued
/// together ("Jane DoeMarch 20").
pub(super) fn text_of(doc: &Document, id: NodeId, between: &str) -> String {
    let mut out = String::new();
    let mut words_before = 0;
    for node in doc.tree.get_unchecked(&id).descendants_it() {
        doc.tree.query_node(&node.id, |n| {
            if let NodeData::Text { contents } = &n.data {
                let glued = out.chars().next_back().is_some_and(char::is_alphanumeric)
                    && contents.chars().next().is_some_and(char::is_alphanumeric);
                let words = contents.split_whitespace().count();
                // Two names in elements of their own.
                let apart = words >= 2 && words_before >= 2;
                if glued || apart {
                    out.push_str(between);
                }
                out.push_str(contents);
                if words > 0 {
                    words_before = words;
                }
            }
        });
        if out.len() > 4_000 {
            break;
        }
    }
    out
}

/// Whether a row of a table is one line of data: a few short cells, and no layout of a page.
pub(super) fn is_line(doc: &Document, row: NodeId) -> bool {
    let (mut cells, mut all) = (0, 0);
    let mut child = doc.tree.query_node(&row, |n| n.first_child).flatten();
    while let Some(id) = child {
        let is_cell = doc
            .tree
            .query_node(&id, |n| n.as_element().map(|e| Tag::of(&e.name.local)))
            .flatten()
            == Some(Tag::Cell);
        if is_cell {
            let length = text_of(doc, id, " ").len();
            cells += 1;
            all += length;
            if length > LONGEST_CELL || cells > MOST_CELLS {
                return false;
            }
        }
        child = doc.tree.query_node(&id, |n| n.next_sibling).flatten();
    }
    cells >= 2 && all <= LONGEST_ROW
}
