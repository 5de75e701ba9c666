//! The arguments of `copydesk console`.

use std::net::SocketAddr;

use clap::Args;

#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  copydesk console\n  copydesk console --listen 127.0.0.1:9000\n\n\
It reads with console.url, a login with copydesk_reader. Changes are off unless console.write_url names one \
with copydesk_writer. \
Others reach it through a proxy that signs them in: docs/console.md."
)]
pub(crate) struct ConsoleArgs {
    /// Address and port [setting: console.listen]
    #[arg(long, value_name = "ADDRESS")]
    pub(crate) listen: Option<SocketAddr>,
}
