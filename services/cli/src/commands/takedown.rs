//! `copydesk takedown`: a person removes an article, or lifts that.

use anyhow::bail;
use copydesk_article::ArticleId;
use copydesk_clean::normalise_url;
use copydesk_export::archive;
use copydesk_store::{Store, TakedownTarget};

use super::{Outcome, note, print, store};
use crate::args::TakedownArgs;
use crate::config::Config;

pub(crate) async fn run(config: &Config, args: &TakedownArgs) -> anyhow::Result<Outcome> {
    let target = args.target.as_deref().map(parse).transpose()?;
    let store = store(config).await?;
    if let Some(id) = args.lift {
        if !store.lift_takedown(id).await? {
            bail!("there is no takedown {id} that holds: SELECT * FROM takedowns lists them");
        }
        print(&format!(
            "takedown {id} is lifted: the same address and text may come again"
        ));
        return Ok(Outcome::Done);
    }
    let Some(target) = target else {
        bail!("name an address or an article's number");
    };
    let done = store.take_down(&target, &args.why).await?;
    let what = match done.removed {
        0 => match target {
            TakedownTarget::Article(id) => format!("article {id} is in the archive"),
            TakedownTarget::Address(_) => "no article was there".to_owned(),
        },
        1 => format!("article {} is removed", done.article_id),
        n => format!("{n} articles that were at this address are removed"),
    };
    print(&format!(
        "takedown {}: {what}; its address is held from now on. `copydesk takedown --lift {}` lifts it",
        done.takedown_id, done.takedown_id
    ));
    reach_archive(&store).await?;
    Ok(Outcome::Done)
}

/// Files of the archive are written anew at once where this machine has them.
async fn reach_archive(store: &Store) -> anyhow::Result<()> {
    if store.archived_until().await?.is_none() {
        return Ok(());
    }
    match archive::take_down(store).await {
        Ok(out) if out.articles == 0 => {}
        Ok(out) => print(&format!(
            "articles that are out of the archive: {}; files that were written anew: {}",
            out.articles, out.files
        )),
        Err(why) => note(&format!(
            "what the archive has of it goes with the next `copydesk janitor archive`, not now: {why:#}"
        )),
    }
    Ok(())
}

fn parse(text: &str) -> anyhow::Result<TakedownTarget> {
    if let Ok(id) = text.parse() {
        return Ok(TakedownTarget::Article(ArticleId(id)));
    }
    match normalise_url(text) {
        Some(url) => Ok(TakedownTarget::Address(url)),
        None => bail!("name an http or https address, or an article's number"),
    }
}
