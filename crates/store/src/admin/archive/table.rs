//! The tables of the archive: their columns are those of public views.

use crate::rows::named;

named! {
    /// A table of the archive. Its columns are those of the public view of the same name.
    pub enum ArchiveTable {
        /// Articles with their place in their story.
        Articles = "articles",
        /// All versions. The body of the shown one is with the article, and null here.
        ArticleVersions = "article_versions",
        /// What was taken out of each version, by which rule.
        RemovedBlocks = "removed_blocks",
        /// The stories of the batch's articles, as they were before any of these went.
        Stories = "stories",
    }
}

impl ArchiveTable {
    /// The columns by which its rows are sorted within a batch.
    pub const fn sorted_by(self) -> &'static [&'static str] {
        match self {
            Self::Articles => &["site", "article_id"],
            // In the order of the articles, which these have no site to sort by.
            Self::ArticleVersions => &[],
            Self::RemovedBlocks => &["site", "article_id", "version", "position"],
            Self::Stories => &["story_id"],
        }
    }

    pub(super) const fn sql(self) -> &'static str {
        match self {
            Self::Articles => {
                "SELECT to_json(v)::text FROM unnest($1::int8[]) WITH ORDINALITY AS w (id, n) JOIN articles v ON v.article_id = w.id ORDER BY w.n"
            }
            Self::ArticleVersions => {
                "SELECT (CASE WHEN v.latest THEN to_jsonb(v) - 'body' ELSE to_jsonb(v) END)::text
                 FROM unnest($1::int8[]) WITH ORDINALITY AS w (id, n)
                 CROSS JOIN LATERAL (SELECT * FROM article_versions o WHERE o.article_id = w.id) v ORDER BY w.n, v.version"
            }
            Self::RemovedBlocks => {
                "SELECT to_json(v)::text FROM unnest($1::int8[]) WITH ORDINALITY AS w (id, n)
                 CROSS JOIN LATERAL (SELECT * FROM removed_blocks o WHERE o.article_id = w.id) v ORDER BY w.n, v.version, v.position"
            }
            Self::Stories => "SELECT to_json(v)::text FROM stories v WHERE v.story_id = ANY ($1) ORDER BY v.story_id",
        }
    }
}
