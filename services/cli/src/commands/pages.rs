//! `copydesk completions` and `copydesk man`: what is generated from the command line's definition.

use std::io::Write as _;
use std::path::Path;

use anyhow::Context as _;
use clap::CommandFactory as _;

use super::Outcome;
use crate::args::{Cli, CompletionsArgs, ManArgs};

/// Writes the completions of a shell to standard output.
pub(crate) fn completions(args: &CompletionsArgs) -> anyhow::Result<Outcome> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), "copydesk", &mut script);
    write(&script)
}

/// Writes the first manual page to standard output, or all of them into a folder.
pub(crate) fn man(args: &ManArgs) -> anyhow::Result<Outcome> {
    let mut command = Cli::command();
    // Names of subcommands and the flags of every command come about only here.
    command.build();
    match &args.into {
        None => write(&page(&command)?),
        Some(folder) => {
            std::fs::create_dir_all(folder).with_context(|| format!("cannot create {}", folder.display()))?;
            pages(&command, "copydesk", folder)?;
            Ok(Outcome::Done)
        }
    }
}

fn pages(command: &clap::Command, name: &str, folder: &Path) -> anyhow::Result<()> {
    let path = folder.join(format!("{name}.1"));
    copydesk_files::write(&path, &page(command)?)
        .with_context(|| format!("cannot write {}", path.display()))?;
    for sub in command.get_subcommands().filter(|s| s.get_name() != "help") {
        pages(sub, &format!("{name}-{}", sub.get_name()), folder)?;
    }
    Ok(())
}

fn page(command: &clap::Command) -> anyhow::Result<Vec<u8>> {
    let mut page = Vec::new();
    clap_mangen::Man::new(command.clone())
        .source(format!("copydesk {}", env!("CARGO_PKG_VERSION")))
        .render(&mut page)?;
    Ok(page)
}

/// To standard output; a closed pipe is the reader's way to say enough.
fn write(bytes: &[u8]) -> anyhow::Result<Outcome> {
    match std::io::stdout().lock().write_all(bytes) {
        Err(e) if e.kind() != std::io::ErrorKind::BrokenPipe => Err(e.into()),
        _ => Ok(Outcome::Done),
    }
}

#[cfg(test)]
mod tests {
    use clap::ValueEnum as _;

    use super::*;

    #[test]
    fn every_command_has_a_page() {
        let folder = std::env::temp_dir().join(format!("copydesk-man-{}", std::process::id()));
        man(&ManArgs {
            into: Some(folder.clone()),
        })
        .unwrap();
        let read = |name: &str| std::fs::read_to_string(folder.join(name)).unwrap_or_default();
        assert!(
            read("copydesk.1").contains("copydesk\\-feed(1)"),
            "{}",
            read("copydesk.1")
        );
        let feed = read("copydesk-feed.1");
        assert!(feed.contains("resume") && feed.contains("Example"), "{feed}");
        assert!(read("copydesk-quarantine-list.1").contains("reason"));
        std::fs::remove_dir_all(&folder).unwrap();
    }

    #[test]
    fn every_shell_has_completions() {
        for shell in clap_complete::Shell::value_variants() {
            let mut script = Vec::new();
            clap_complete::generate(*shell, &mut Cli::command(), "copydesk", &mut script);
            let script = String::from_utf8(script).unwrap();
            assert!(
                script.contains("quarantine") && script.contains("resume"),
                "{shell}"
            );
        }
    }
}
