//! A flood of filled-in templates among other articles.
//!
//! Each file has one template after the other: `# name`, a line with the title, then paragraphs. `[a|b]` is
//! worded once for a template, as its author would; `{slot}` is filled in anew each time from the lists
//! below. `series.txt` are series of one publisher: the same names each time, or a long frame around a short
//! text. `held.txt` is for measurements alone, and the fit never sees it: other languages, and fillings that
//! are one sentence, one number, one date or names.

use std::collections::HashSet;

use serde_json::json;

use super::{Article, Random};

const TEMPLATES: &str = include_str!("templates.txt");
const SERIES: &str = include_str!("series.txt");
const HELD: &str = include_str!("held.txt");

/// Which templates.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Choice {
    /// Those of `templates.txt` whose number is even (0) or odd (1).
    Templates(usize),
    /// Those of `series.txt`.
    Series(usize),
    /// All of `held.txt`.
    Held,
}

struct Template {
    name: String,
    title: String,
    paragraphs: Vec<String>,
}

/// `fillings` of each template that is chosen, no two of one template with the same text, among the first `others` articles that are not templates.
pub(crate) fn flood(
    articles: Vec<Article>,
    others: usize,
    fillings: usize,
    choice: Choice,
    random: &mut Random,
) -> Vec<Article> {
    let mut all: Vec<Article> = articles
        .into_iter()
        .filter(|a| a.record["kind"] != "tmpl")
        .take(others)
        .collect();
    let (file, of, odd) = match choice {
        Choice::Templates(odd) => (TEMPLATES, 2, odd),
        Choice::Series(odd) => (SERIES, 2, odd),
        Choice::Held => (HELD, 1, 0),
    };
    let templates: Vec<Template> = file
        .split("\n# ")
        .enumerate()
        .filter(|(n, _)| n % of == odd)
        .map(|(_, text)| worded(text, random))
        .collect();
    for (number, template) in templates.iter().enumerate() {
        // A series of one site, of a chain of ten, or of anybody's.
        let hosts = [1, 10, 300][random.below(3)];
        let first = random.below(300);
        let mut filled = HashSet::new();
        for n in 0..fillings {
            let (title, paragraphs) = template.new_filling(&mut filled, random);
            let record = json!({
                "host": 1_000 + (first + random.below(hosts)) % 300, "kind": template.name, "src": "flood",
                "cluster": 2_000_000 + number * 1_000 + n, "title": title,
            });
            let at = random.below(all.len() + 1);
            all.insert(at, Article { record, paragraphs });
        }
    }
    for (id, article) in all.iter_mut().enumerate() {
        article.record["id"] = json!(id);
    }
    all
}

impl Template {
    /// Fills the template in as it was not before. Two that came out equal would be copies, whatever the gold says.
    fn new_filling(&self, before: &mut HashSet<Vec<String>>, random: &mut Random) -> (String, Vec<String>) {
        loop {
            let fill = Filling::new(random);
            let title = fill.apply(&self.title, random);
            let paragraphs: Vec<String> = self.paragraphs.iter().map(|p| fill.apply(p, random)).collect();
            if before.insert(paragraphs.clone()) {
                return (title, paragraphs);
            }
        }
    }
}

/// Chooses one of each `[a|b]`.
fn worded(text: &str, random: &mut Random) -> Template {
    let mut chosen = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('[') {
        let (choices, behind) = after.split_once(']').unwrap_or((after, ""));
        let choices: Vec<&str> = choices.split('|').collect();
        chosen.push_str(before);
        chosen.push_str(choices[random.below(choices.len())]);
        rest = behind;
    }
    chosen.push_str(rest);
    let name = chosen.lines().next().unwrap_or_default();
    let mut lines = chosen
        .lines()
        .skip(1)
        .filter(|l| !l.trim().is_empty())
        .map(str::to_owned);
    Template {
        name: format!("flood: {}", name.trim_start_matches("# ")),
        title: lines.next().unwrap_or_default(),
        paragraphs: lines.collect(),
    }
}

/// What stays the same within one article: `{who1}` is one person throughout it.
struct Filling {
    seed: u64,
}

impl Filling {
    fn new(random: &mut Random) -> Self {
        Self {
            seed: random.below(usize::MAX) as u64,
        }
    }

    fn apply(&self, text: &str, random: &mut Random) -> String {
        let mut out = String::new();
        let mut rest = text;
        while let Some((before, after)) = rest.split_once('{') {
            let (slot, behind) = after.split_once('}').unwrap_or((after, ""));
            out.push_str(before);
            // A slot that ends in a digit has one value within an article.
            if slot.ends_with(|c: char| c.is_ascii_digit()) {
                let salt = slot
                    .bytes()
                    .fold(7_u64, |h, b| h.wrapping_mul(131) + u64::from(b));
                let mut own = Random(self.seed ^ salt);
                out.push_str(&value(
                    slot.trim_end_matches(|c: char| c.is_ascii_digit()),
                    &mut own,
                ));
            } else {
                out.push_str(&value(slot, random));
            }
            rest = behind;
        }
        out.push_str(rest);
        out
    }
}

fn value(slot: &str, random: &mut Random) -> String {
    let mut one_of = |list: &str| {
        let list: Vec<&str> = list.split('/').collect();
        list[random.below(list.len())].to_owned()
    };
    match slot {
        "first" => one_of(
            "Ilsa/Jon/Mara/Tobias/Lene/Ruth/Kemal/Odile/Piet/Sanna/Walter/Doris/Ivo/Greta/Hugo/Nadia/Emil/Clara/Bruno/Alma",
        ),
        "last" => one_of(
            "Brandt/Kepler/Lindqvist/Okafor/Marsh/Tanaka/Duval/Novak/Sorel/Whitlock/Hanley/Ostrow/Pryce/Varga/Demir/Aldous/Ferro/Quist/Yates/Brandvold",
        ),
        "town" => one_of(
            "Velmora/Tarnow/Millbrook/Ashford/Danforth/Kestrel Bay/Leyfield/Dunmore/Calder City/Port Amsel/Harlow Springs/Wexley/Norbury/Stonefield/Eastmere/Glenhaven/Varnholt/Oakridge/Sable Point/Merton",
        ),
        "company" => one_of(
            "Tallis Motors/Oryx Biosciences/Northwind Instruments/Cintra Foods/Farrow Steel/Halden Energy/Pelgor Mining/Unica Software/Brightwater Utilities/Masten Rail/Lorne Pharma/Dovetail Homes/Skarn Metals/Quillon Media/Verity Bank/Aster Airlines",
        ),
        "ticker" => one_of("TLLS/ORXB/NWIN/CNTF/FARS/HLDN/PLGM/UNIC/BWTR/MSTN/LRNP/DVTL/SKRN/QLLN/VRTB/ASTR"),
        "club" => one_of(
            "Dunmore/Calder City/Leyfield/St Osyth/Port Amsel/Norbury Town/Wexley Rovers/Ashford United/Glenhaven/Merton Athletic/Varnholt/Eastmere Wanderers",
        ),
        "street" => one_of(
            "Main Street/Front Street/Mill Road/Harbour Lane/Cedar Avenue/Station Road/Church Street/Bridge Street/Elm Drive/Park Row/Quarry Hill/River Walk",
        ),
        "day" => one_of("Monday/Tuesday/Wednesday/Thursday/Friday/Saturday/Sunday"),
        "month" => {
            one_of("January/February/March/April/June/July/August/September/October/November/December")
        }
        "date" => format!("{} {}", value("month", random), 1 + random.below(28)),
        "sky" => one_of(
            "sunny spells/light rain/heavy showers/thick cloud/morning fog/clear skies/scattered storms/drizzle",
        ),
        "wind" => one_of("north/north-east/east/south-east/south/south-west/west/north-west"),
        "job" => one_of(
            "a school cook/a machinist/a bus driver/a nurse/a teacher of mathematics/a farmer/a postal clerk/a carpenter/an accountant/a librarian",
        ),
        "hobby" => one_of(
            "quilting/fishing/gardening/choral singing/stamp collecting/card games/woodwork/birdwatching/baking/long walks",
        ),
        "sign" => {
            one_of("Aries/Taurus/Gemini/Cancer/Leo/Virgo/Libra/Scorpio/Sagittarius/Capricorn/Aquarius/Pisces")
        }
        "topic" => one_of(
            "the sewer bond/short-term rentals/a new skate park/the library roof/parking meters/the fire contract/a zoning change/the youth centre/street lighting/bus shelters/the water rate/a noise ordinance",
        ),
        "crime" => one_of(
            "a burglary/a stolen bicycle/a hit-and-run/shoplifting/vandalism at the school/a car break-in/a fight outside a bar/a forged cheque",
        ),
        "fault" => one_of(
            "misstated demand for its delivery vans/concealed a regulator's concerns about a trial/overstated its order book/hid losses in a lending unit/failed to disclose a data breach/booked revenue too early",
        ),
        "advice" => one_of(
            "A talk that you put off will go better than feared/Money matters need a second look/An old friend brings news/Rest before you decide/Someone at work notices your patience/A short trip clears your mind/Say no once and mean it/Luck favours small risks",
        ),
        "news" => one_of(
            "A second line is to be opened at the plant in Dayton/The quarterly dividend is raised by a tenth/A finance chief from outside takes over in spring/\
             An order for sensors has come from a maker of satellites/The research centre moves to a larger building near the airport/\
             A rival's brand of cleaning products has been bought/The lighting business is up for sale/Two shifts are added at the foundry/\
             The regulator has cleared the new scanner for use in hospitals/Deliveries to the railways begin a year earlier than planned/\
             A recall of chargers is extended to three more models/The pension scheme has been handed to an insurer/\
             Branches in small towns stay open on Saturdays/A share buy-back is to end in autumn/The ferry terminal gets a new roof",
        ),
        "tip" => one_of(
            "Go early, because the benches by the window are taken by noon/The soup is famous for good reason/Children like the steps down to the water/\
             Come in the evening, when the lamps are lit/The kiosk by the gate sells good coffee/Wet after rain, so wear old shoes/Bring a map and a friend/\
             The owner plays the accordion on Fridays/Ask for the back room/High up, with a rail on one side only/Level all the way, with benches/\
             On bright mornings one sees the sea/The pies are baked twice a day/Nobody knows who carved the door/Hard work, and worth it/\
             The hall was a cinema before the war/Cheap, loud and cheerful/It closes when it rains",
        ),
        "walk" => one_of(
            "Loop/Stair/Railway/Edge/Boardwalk/Ridge/Pond Trail/Fire Tower/Gorge/Meadows/Causeway/Sands/Weir/Pool",
        ),
        "thing" => one_of(
            "kettles/tents/headphones/mattresses/bicycle lamps/kitchen knives/suitcases/toasters/rain jackets/drills/desk chairs/vacuum cleaners",
        ),
        "tag" => one_of("Montag/Dienstag/Mittwoch/Donnerstag/Freitag/Samstag/Sonntag"),
        // One sentence in so many that hardly any comes twice.
        "consejo" => [
            "Quien espera/Quien pregunta/Quien madruga/El que calla/El que vuelve/Quien comparte/El que canta/Quien perdona",
            "a la puerta de un vecino/en medio de la lluvia/sin mirar el reloj/con el pan en la mano/al final del camino/antes de la cena/junto al mar/en un día de fiesta",
            "encuentra lo que no buscaba/pierde poco y gana un amigo/duerme mejor que un rey/sabe más que los libros/no necesita espejo/deja huella en la arena/llega cuando hace falta/oye lo que otros no dicen",
        ]
        .map(&mut one_of)
        .join(" "),
        "saying" => [
            "Whoever waits/He who asks/She who sings/The guest who stays/A child that runs/Who shares a coat/The one who forgets/A fool who laughs",
            "at the gate of a friend/in the middle of the rain/without looking at the clock/with bread in his pocket/at the end of a long road/before the lamps are lit/beside a cold stove/on the last day of the fair",
            "finds more than was lost/wakes up richer than a king/has nothing to fear from crows/knows what the books leave out/needs neither mirror nor lock/leaves a mark in the sand/is there when the bell rings/hears what nobody says",
        ]
        .map(&mut one_of)
        .join(" "),
        "digit" => random.below(6).to_string(),
        "small" => (2 + random.below(8)).to_string(),
        "num" => (10 + random.below(90)).to_string(),
        "hundred" => (100 + random.below(900)).to_string(),
        "big" => format!("{},{:03}", 1 + random.below(90), random.below(1_000)),
        "pct" => format!("{}.{}", random.below(9), random.below(10)),
        "price" => format!("{}.{:02}", 1 + random.below(90), random.below(100)),
        "hour" => format!("{}:{:02}", 1 + random.below(12), 5 * random.below(12)),
        "year" => (1931 + random.below(90)).to_string(),
        "updown" => one_of("rose/fell/gained/lost/slipped/added"),
        other => format!("{{{other}}}"),
    }
}
