//! Pages that a server sends in an article's place, and articles that speak of the same things.

use super::*;

fn outcome(body: RawBody, title: Option<&str>) -> Result<CleanArticle, Reject> {
    let mut raw = RawArticle::from_body(body);
    raw.url = Some("https://www.brenmarkpost.example/news/ferry".to_owned());
    raw.title = title.map(str::to_owned);
    cleaner().clean(&raw)
}

fn page(title: &str, body: &str) -> RawBody {
    RawBody::Html(format!(
        "<html><head><title>{title}</title></head><body>{body}</body></html>"
    ))
}

fn refused_for(body: RawBody) -> Option<Reason> {
    outcome(body, None).err().map(|r| r.reason)
}

#[test]
fn pages_in_an_articles_place_are_refused_by_what_they_are() {
    for (title, body, reason) in [
        (
            "503 Service Temporarily Unavailable",
            "<center><h1>503 Service Temporarily Unavailable</h1></center><hr><center>openresty</center>",
            Reason::ErrorPage,
        ),
        (
            "Page not found | Brenmark Post",
            "<main><h1>Sorry!</h1><p>We couldn't find the page you were looking for.</p><p>It may have been moved.</p></main>",
            Reason::ErrorPage,
        ),
        (
            "Brenmark Post",
            "<h1>Error establishing a database connection</h1>",
            Reason::ErrorPage,
        ),
        (
            "Access Denied",
            "<h1>Access Denied</h1><p>You don't have permission to access \"http://www.brenmarkpost.example/news\" on this server.</p><p>Reference #18.2d3e1702.1700000000.1a2b3c</p>",
            Reason::BlockedPage,
        ),
        (
            "451: Unavailable due to legal reasons",
            "<p>We recognize you are attempting to access this website from a country belonging to the European Economic Area, which enforces the General Data Protection Regulation, and therefore access cannot be granted at this time.</p>",
            Reason::BlockedPage,
        ),
        (
            "brenmarkpost.example",
            "<noscript>Please enable JS and disable any ad blocker</noscript><p>Please enable JS and disable any ad blocker</p><script src='https://ct.captcha-delivery.com/c.js'></script>",
            Reason::BotCheck,
        ),
        (
            "Attention: are you a robot?",
            "<h1>Are you a robot?</h1><p>We have detected unusual traffic from your network. To continue, confirm you're not a robot.</p>",
            Reason::BotCheck,
        ),
        (
            "Before you continue",
            "<h1>Before you continue</h1><p>We and our partners store and/or access information on a device, such as cookies. You can withdraw your consent at any time.</p><button>Accept all</button>",
            Reason::ConsentPage,
        ),
        (
            "Be right back",
            "<h1>Be right back</h1><p>Our website is currently undergoing scheduled maintenance. Please check back soon.</p>",
            Reason::MaintenancePage,
        ),
        (
            "Log in - Brenmark Post",
            "<h1>Log in to continue</h1><p>Please log in to read this story. Forgot your password? Don't have an account yet?</p>",
            Reason::LoginPage,
        ),
    ] {
        assert_eq!(refused_for(page(title, body)), Some(reason), "{title}");
    }
}

#[test]
fn they_are_known_in_the_usual_languages() {
    for (title, body, reason) in [
        (
            "Seite nicht gefunden - Brenmarker Bote",
            "Die von Ihnen aufgerufene Seite konnte leider nicht gefunden werden. Zurück zur Startseite.",
            Reason::ErrorPage,
        ),
        (
            "Wartungsarbeiten",
            "Wir führen gerade Wartungsarbeiten durch und sind in Kürze wieder für Sie da. Wir bitten um Ihr Verständnis.",
            Reason::MaintenancePage,
        ),
        (
            "Accès refusé",
            "Vous n’avez pas l’autorisation d’accéder à cette page. Votre adresse IP a été bloquée.",
            Reason::BlockedPage,
        ),
        (
            "Un instant…",
            "Vérifiez que vous êtes humain. Cela peut prendre quelques secondes. Activez JavaScript et les cookies pour continuer.",
            Reason::BotCheck,
        ),
        (
            "Estamos en mantenimiento",
            "Estamos realizando tareas de mantenimiento. Volveremos pronto. Disculpe las molestias.",
            Reason::MaintenancePage,
        ),
        (
            "Página não encontrada",
            "A página que você procura não existe ou foi removida. Voltar para a página inicial.",
            Reason::ErrorPage,
        ),
        (
            "Accedi - Il Corriere di Brenmark",
            "Accedi per continuare a leggere. Hai dimenticato la password? Non hai un account?",
            Reason::LoginPage,
        ),
        (
            "Jouw privacy",
            "Wij en onze partners gebruiken cookies. Je kunt jouw toestemming intrekken. Alles accepteren.",
            Reason::ConsentPage,
        ),
        (
            "Ошибка 404",
            "Запрашиваемая страница не найдена. Вернуться на главную.",
            Reason::ErrorPage,
        ),
        (
            "しばらくお待ちください",
            "あなたが人間であることを確認します。これには数秒かかることがあります。JavaScriptを有効にしてください。",
            Reason::BotCheck,
        ),
        (
            "系统维护",
            "系统正在维护中，给您带来不便，敬请谅解。请稍后访问。",
            Reason::MaintenancePage,
        ),
        (
            "Odmowa dostępu",
            "Nie masz uprawnień do wyświetlenia tej strony. Twój adres IP został zablokowany.",
            Reason::BlockedPage,
        ),
        (
            "Sayfa Bulunamadı",
            "Aradığınız sayfa mevcut değil veya kaldırılmış olabilir. Ana sayfaya dönmek için tıklayın.",
            Reason::ErrorPage,
        ),
        (
            "تسجيل الدخول",
            "يرجى تسجيل الدخول للمتابعة. نسيت كلمة المرور؟ ليس لديك حساب؟",
            Reason::LoginPage,
        ),
    ] {
        let html = page(title, &format!("<main><h1>{title}</h1><p>{body}</p></main>"));
        assert_eq!(refused_for(html), Some(reason), "{title}");
        let text = RawBody::Text(format!("{title}\n\n{body}"));
        assert_eq!(refused_for(text), Some(reason), "as text: {title}");
    }
}

#[test]
fn a_scraped_error_is_refused_below_the_title_of_a_feed() {
    let body = "Access Denied\n\nYou don't have permission to access this page on this server.";
    let refused = outcome(RawBody::Text(body.to_owned()), Some("Ferry back in service")).unwrap_err();
    assert_eq!(refused.reason, Reason::BlockedPage);
    assert!(
        !refused.detail.contains("permission"),
        "quotes the text: {refused}"
    );
    for bare in ["Forbidden", "404", "Not Found", "Internal Server Error"] {
        assert!(refused_for(RawBody::Text(bare.to_owned())).is_some(), "{bare}");
    }
}

#[test]
fn articles_about_the_same_things_stay() {
    for (title, body) in [
        (
            "Access denied",
            "The district court of Carrow has denied reporters access to the trial of the harbour master. The judge said the witnesses had asked for it. Three papers have appealed.",
        ),
        (
            "Maintenance",
            "The ferry to Lorne will not sail on Sunday because of scheduled maintenance, the operator said. “We apologise for the inconvenience,” its spokeswoman said. Buses leave from the pier.",
        ),
        (
            "Tax office's website down for maintenance until Monday",
            "The tax office's website is down for maintenance until Monday, the ministry said on Friday. Citizens who have to file a return by Sunday are given three more days. The office apologised for the inconvenience.",
        ),
        (
            "404 Not Found: the library that lost its catalogue",
            "For eleven days the catalogue of the city library has answered every reader with an error. Staff have gone back to paper cards, and the queue at the desk reaches to the door.",
        ),
        (
            "Court fines site over cookie banner",
            "A court has fined a shopping site 20,000 crowns because its cookie banner had no button to reject all cookies. Visitors could only accept. The site has removed the banner.",
        ),
        (
            "Robots check in at hotel",
            "A hotel in Nordby has robots at its desk. “Are you a robot?” guests ask. The machines answer in nine languages and carry suitcases, the manager said.",
        ),
        (
            "Wartung",
            "Der Aufzug am Hafen fällt wegen Wartung bis Freitag aus, teilte die Stadt mit. Fahrgäste mit Kinderwagen nehmen den Bus der Linie 4. Die Stadt bittet um Verständnis.",
        ),
        (
            "Доступ ограничен",
            "Суд в Карроу закрыл заседание по делу капитана порта для прессы. Судья объяснил решение просьбой свидетелей. Редакции трёх газет подали жалобу.",
        ),
    ] {
        let html = page(
            title,
            &format!("<article><h1>{title}</h1><p>{body}</p></article>"),
        );
        assert_eq!(refused_for(html), None, "{title}");
        assert_eq!(
            refused_for(RawBody::Text(format!("{title}\n\n{body}"))),
            None,
            "as text: {title}"
        );
    }
}

#[test]
fn a_body_of_three_words_is_no_article() {
    for body in ["What comes next", "Read more here.", "Full story at eleven"] {
        let refused = outcome(
            RawBody::Text(body.to_owned()),
            Some("The harbour after the storm"),
        );
        assert_eq!(refused.unwrap_err().reason, Reason::NoArticle, "{body}");
    }
    let short = outcome(RawBody::Text("Ships came in at dawn.".to_owned()), None);
    assert_eq!(short.unwrap().body(), "Ships came in at dawn.");
}

#[test]
fn the_lists_are_read() {
    assert!(crate::challenge::lists_are_read());
}
