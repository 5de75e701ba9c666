//! How site memory grows with the pages of a site.

use crate::Options;

pub(crate) fn run(_options: &Options) {}
