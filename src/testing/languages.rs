//! What the token mail says, in many languages: a table.
//!
//! Knows subjects, sentences and the two labels with their colons. Never says that a text is
//! Salesforce's own unless it was seen in public: English and Japanese were, the rest is invented
//! in the same structure. Its attested texts come from facts: salesforce-mail, 1.1 and 1.2.

/// One language's texts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Language {
    /// Its BCP 47 code, as in `pt-BR`.
    pub code: &'static str,
    /// The mail was seen in public in this language; otherwise the texts are invented.
    pub attested: bool,
    /// The subject; `{}` stands for the brand. NOTE: the Japanese one is invented.
    pub subject: &'static str,
    /// The first sentence.
    pub intro: &'static str,
    /// The label of the username, up to the value.
    pub username: &'static str,
    /// The label of the token, up to the value.
    pub token: &'static str,
    /// The last sentence, up to the link.
    pub outro: &'static str,
}

/// English, as seen in January 2020.
pub const ENGLISH: Language = Language {
    code: "en",
    attested: true,
    subject: "Your new {} security token",
    intro: "We've sent you a new Salesforce security token because you recently changed your password or requested to reset your security token. Use this updated security token with API or desktop clients that require it.",
    username: "Username: ",
    token: "Security token (case-sensitive): ",
    outro: "For more information on using your security token, see Reset Your Security Token at ",
};

/// Japanese, as seen on a vendor's support page.
pub const JAPANESE: Language = Language {
    code: "ja",
    attested: true,
    subject: "新しい {} セキュリティトークン",
    intro: "最近パスワードが変更されたかセキュリティトークンのリセットが要求されたため、新しい Salesforce セキュリティトークンを送信いたしました。API またはデスクトップクライアントでセキュリティトークンが必要な場合は、この更新されたセキュリティトークンを使用してください。",
    username: "ユーザ名: ",
    token: "セキュリティトークン (大文字と小文字を区別): ",
    outro: "セキュリティトークンの使用方法についての詳細は、「セキュリティトークンのリセット」を参照してください。",
};

/// An invented text: code, subject, sentence, both labels, last sentence.
const fn invented(
    code: &'static str,
    subject: &'static str,
    intro: &'static str,
    labels: [&'static str; 2],
    outro: &'static str,
) -> Language {
    Language {
        code,
        attested: false,
        subject,
        intro,
        username: labels[0],
        token: labels[1],
        outro,
    }
}

/// Every language, the attested ones first.
pub const LANGUAGES: &[Language] = &[
    ENGLISH,
    JAPANESE,
    invented(
        "de",
        "Ihr neues {}-Sicherheitstoken",
        "Wir haben Ihnen ein neues Salesforce-Sicherheitstoken gesendet, da Sie kürzlich Ihr Kennwort geändert oder das Zurücksetzen Ihres Sicherheitstokens angefordert haben.",
        [
            "Benutzername: ",
            "Sicherheitstoken (Groß-/Kleinschreibung beachten): ",
        ],
        "Weitere Informationen zur Verwendung finden Sie unter ",
    ),
    invented(
        "fr",
        "Votre nouveau jeton de sécurité {}",
        "Nous vous avons envoyé un nouveau jeton de sécurité Salesforce, car vous avez récemment modifié votre mot de passe ou demandé sa réinitialisation.",
        [
            "Nom d'utilisateur : ",
            "Jeton de sécurité (respecter la casse) : ",
        ],
        "Pour plus d'informations, reportez-vous à ",
    ),
    invented(
        "es",
        "Su nuevo token de seguridad de {}",
        "Le hemos enviado un nuevo token de seguridad de Salesforce porque ha cambiado recientemente su contraseña o ha solicitado restablecer su token.",
        [
            "Nombre de usuario: ",
            "Token de seguridad (distingue mayúsculas y minúsculas): ",
        ],
        "Para obtener más información, consulte ",
    ),
    invented(
        "pt-BR",
        "Seu novo token de segurança do {}",
        "Enviamos um novo token de segurança do Salesforce porque você alterou sua senha recentemente ou solicitou a redefinição do token.",
        [
            "Nome de usuário: ",
            "Token de segurança (diferencia maiúsculas de minúsculas): ",
        ],
        "Para obter mais informações, consulte ",
    ),
    invented(
        "it",
        "Il nuovo token di sicurezza {}",
        "Le abbiamo inviato un nuovo token di sicurezza Salesforce perché la password è stata modificata o è stato richiesto il ripristino del token.",
        [
            "Nome utente: ",
            "Token di sicurezza (distinzione maiuscole/minuscole): ",
        ],
        "Per ulteriori informazioni, vedere ",
    ),
    invented(
        "nl",
        "Uw nieuwe {}-beveiligingstoken",
        "We hebben u een nieuw Salesforce-beveiligingstoken gestuurd omdat u onlangs uw wachtwoord hebt gewijzigd of een nieuw token hebt aangevraagd.",
        [
            "Gebruikersnaam: ",
            "Beveiligingstoken (hoofdlettergevoelig): ",
        ],
        "Zie voor meer informatie ",
    ),
    invented(
        "ko",
        "새 {} 보안 토큰",
        "최근에 암호를 변경했거나 보안 토큰 재설정을 요청했기 때문에 새 Salesforce 보안 토큰을 보내 드립니다.",
        ["사용자 이름: ", "보안 토큰(대/소문자 구분): "],
        "자세한 내용은 다음을 참조하십시오. ",
    ),
    invented(
        "zh-CN",
        "您的新 {} 安全标记",
        "因为您最近更改了密码或请求重置安全标记，我们已向您发送新的 Salesforce 安全标记。",
        ["用户名：", "安全标记（区分大小写）："],
        "有关使用安全标记的更多信息，请参阅 ",
    ),
    invented(
        "zh-TW",
        "您的新 {} 安全性權杖",
        "因為您最近變更了密碼或要求重設安全性權杖，我們已傳送新的 Salesforce 安全性權杖給您。",
        ["使用者名稱：", "安全性權杖（區分大小寫）："],
        "如需更多資訊，請參閱 ",
    ),
    invented(
        "sv",
        "Din nya {}-säkerhetstoken",
        "Vi har skickat en ny Salesforce-säkerhetstoken eftersom du nyligen har ändrat ditt lösenord eller begärt en ny token.",
        ["Användarnamn: ", "Säkerhetstoken (skiftlägeskänslig): "],
        "Mer information finns på ",
    ),
    invented(
        "da",
        "Dit nye {}-sikkerhedstoken",
        "Vi har sendt dig et nyt Salesforce-sikkerhedstoken, fordi du for nylig har ændret din adgangskode eller bedt om et nyt token.",
        [
            "Brugernavn: ",
            "Sikkerhedstoken (skelner mellem store og små bogstaver): ",
        ],
        "Du finder flere oplysninger på ",
    ),
    invented(
        "fi",
        "Uusi {}-suojaustunnus",
        "Lähetimme sinulle uuden Salesforce-suojaustunnuksen, koska vaihdoit äskettäin salasanasi tai pyysit uutta tunnusta.",
        [
            "Käyttäjänimi: ",
            "Suojaustunnus (kirjainkoko on merkitsevä): ",
        ],
        "Lisätietoja on osoitteessa ",
    ),
    invented(
        "no",
        "Ditt nye {}-sikkerhetstoken",
        "Vi har sendt deg et nytt Salesforce-sikkerhetstoken fordi du nylig endret passordet eller ba om et nytt token.",
        [
            "Brukernavn: ",
            "Sikkerhetstoken (skiller mellom store og små bokstaver): ",
        ],
        "Du finner mer informasjon på ",
    ),
    invented(
        "ru",
        "Ваш новый маркер безопасности {}",
        "Мы отправили вам новый маркер безопасности Salesforce, так как вы недавно изменили пароль или запросили сброс маркера.",
        [
            "Имя пользователя: ",
            "Маркер безопасности (с учетом регистра): ",
        ],
        "Дополнительные сведения см. на странице ",
    ),
    invented(
        "th",
        "โทเค็นความปลอดภัย {} ใหม่ของคุณ",
        "เราได้ส่งโทเค็นความปลอดภัย Salesforce ใหม่ให้คุณ เนื่องจากคุณเพิ่งเปลี่ยนรหัสผ่านหรือขอรีเซ็ตโทเค็น",
        ["ชื่อผู้ใช้: ", "โทเค็นความปลอดภัย (ตรงตามตัวพิมพ์ใหญ่-เล็ก): "],
        "ดูข้อมูลเพิ่มเติมได้ที่ ",
    ),
    invented(
        "pl",
        "Twój nowy token zabezpieczający {}",
        "Wysłaliśmy nowy token zabezpieczający Salesforce, ponieważ niedawno zmieniono hasło lub zażądano zresetowania tokenu.",
        [
            "Nazwa użytkownika: ",
            "Token zabezpieczający (z rozróżnianiem wielkości liter): ",
        ],
        "Więcej informacji: ",
    ),
    invented(
        "cs",
        "Váš nový bezpečnostní token {}",
        "Zaslali jsme vám nový bezpečnostní token Salesforce, protože jste nedávno změnili heslo nebo požádali o obnovení tokenu.",
        [
            "Uživatelské jméno: ",
            "Bezpečnostní token (rozlišuje velká a malá písmena): ",
        ],
        "Další informace najdete na ",
    ),
    invented(
        "tr",
        "Yeni {} güvenlik belirteciniz",
        "Kısa süre önce parolanızı değiştirdiğiniz veya güvenlik belirtecinizi sıfırlamak istediğiniz için yeni bir Salesforce güvenlik belirteci gönderdik.",
        [
            "Kullanıcı adı: ",
            "Güvenlik belirteci (büyük/küçük harf duyarlı): ",
        ],
        "Daha fazla bilgi için bkz. ",
    ),
    invented(
        "hu",
        "Az Ön új {} biztonsági tokenje",
        "Új Salesforce biztonsági tokent küldtünk, mert nemrég megváltoztatta jelszavát, vagy új tokent kért.",
        [
            "Felhasználónév: ",
            "Biztonsági token (kis- és nagybetűk különböznek): ",
        ],
        "További információ: ",
    ),
    invented(
        "ro",
        "Noul dvs. token de securitate {}",
        "V-am trimis un nou token de securitate Salesforce deoarece v-ați schimbat recent parola sau ați cerut resetarea tokenului.",
        [
            "Nume de utilizator: ",
            "Token de securitate (contează majusculele): ",
        ],
        "Pentru mai multe informații, consultați ",
    ),
    invented(
        "uk",
        "Ваш новий маркер безпеки {}",
        "Ми надіслали вам новий маркер безпеки Salesforce, оскільки ви нещодавно змінили пароль або запросили скидання маркера.",
        [
            "Ім'я користувача: ",
            "Маркер безпеки (з урахуванням регістру): ",
        ],
        "Докладніше див. на сторінці ",
    ),
    invented(
        "el",
        "Το νέο διακριτικό ασφαλείας {}",
        "Σας στείλαμε νέο διακριτικό ασφαλείας Salesforce, επειδή αλλάξατε πρόσφατα τον κωδικό σας ή ζητήσατε επαναφορά του.",
        [
            "Όνομα χρήστη: ",
            "Διακριτικό ασφαλείας (με διάκριση πεζών-κεφαλαίων): ",
        ],
        "Για περισσότερες πληροφορίες, δείτε ",
    ),
    invented(
        "bg",
        "Вашият нов маркер за сигурност {}",
        "Изпратихме ви нов маркер за сигурност на Salesforce, защото наскоро сменихте паролата си или поискахте нов маркер.",
        [
            "Потребителско име: ",
            "Маркер за сигурност (има значение главна или малка буква): ",
        ],
        "За повече информация вижте ",
    ),
    invented(
        "ar",
        "رمز الأمان الجديد في {}",
        "أرسلنا إليك رمز أمان جديدًا في Salesforce لأنك غيّرت كلمة المرور مؤخرًا أو طلبت إعادة تعيين الرمز.",
        ["اسم المستخدم: ", "رمز الأمان (حساس لحالة الأحرف): "],
        "لمزيد من المعلومات، راجع ",
    ),
    invented(
        "he",
        "אסימון האבטחה החדש שלך ב-{}",
        "שלחנו לך אסימון אבטחה חדש של Salesforce מפני ששינית לאחרונה את הסיסמה או ביקשת לאפס את האסימון.",
        ["שם משתמש: ", "אסימון אבטחה (תלוי רישיות): "],
        "למידע נוסף ראה ",
    ),
    invented(
        "hi",
        "आपका नया {} सुरक्षा टोकन",
        "हमने आपको नया Salesforce सुरक्षा टोकन भेजा है क्योंकि आपने हाल ही में अपना पासवर्ड बदला है या टोकन रीसेट करने का अनुरोध किया है।",
        ["उपयोगकर्ता नाम: ", "सुरक्षा टोकन (केस-संवेदी): "],
        "अधिक जानकारी के लिए देखें ",
    ),
    invented(
        "vi",
        "Mã bảo mật {} mới của bạn",
        "Chúng tôi đã gửi cho bạn mã bảo mật Salesforce mới vì gần đây bạn đã đổi mật khẩu hoặc yêu cầu đặt lại mã.",
        [
            "Tên người dùng: ",
            "Mã bảo mật (phân biệt chữ hoa chữ thường): ",
        ],
        "Để biết thêm thông tin, hãy xem ",
    ),
    invented(
        "id",
        "Token keamanan {} baru Anda",
        "Kami telah mengirimkan token keamanan Salesforce baru karena Anda baru saja mengubah kata sandi atau meminta pengaturan ulang token.",
        [
            "Nama pengguna: ",
            "Token keamanan (peka huruf besar/kecil): ",
        ],
        "Untuk informasi selengkapnya, lihat ",
    ),
    // Of no real language: its labels can be known to nobody, so that only the structure is left.
    invented(
        "x-unlisted",
        "Zzyv {} vexu",
        "Lorem vexu ipsum Salesforce, quo ziril vexandum.",
        ["Qwenomi: ", "Vexu ziril (zur-zar): "],
        "Plura vide: ",
    ),
];

impl Language {
    /// The language with this code.
    #[must_use]
    pub fn named(code: &str) -> Option<Self> {
        let mut all = LANGUAGES.iter();
        all.find(|language| language.code.eq_ignore_ascii_case(code))
            .copied()
    }
}
