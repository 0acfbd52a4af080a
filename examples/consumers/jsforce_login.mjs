// Logs in as jsforce does: the password and the token together, in one call of SOAP's `login`.
//
//   sftoken run --preset simple-salesforce integration@acme.example -- node jsforce_login.mjs
//
// With jsforce itself, the function below is not needed:
//
//   const connection = new jsforce.Connection({ loginUrl });
//   await connection.login(username, password + token);

const {
  SF_USERNAME: username,
  SF_PASSWORD: password,
  SF_SECURITY_TOKEN: token,
  SF_DOMAIN: domain = "login",
  SF_LOGIN_URL: loginUrl = `https://${domain}.salesforce.com`,
} = process.env;

const escaped = (text) =>
  text.replace(/[&<>"]/g, (letter) => `&#${letter.charCodeAt(0)};`);

async function login(username, password) {
  const response = await fetch(`${loginUrl}/services/Soap/u/60.0`, {
    method: "POST",
    headers: { "Content-Type": "text/xml", SOAPAction: '""' },
    body: `<se:Envelope xmlns:se="http://schemas.xmlsoap.org/soap/envelope/"><se:Header/><se:Body>
<login xmlns="urn:partner.soap.sforce.com"><username>${escaped(username)}</username>
<password>${escaped(password)}</password></login></se:Body></se:Envelope>`,
  });
  const answer = await response.text();
  const part = (name) => answer.match(new RegExp(`<${name}>([^<]*)`))?.[1];
  if (!response.ok) throw new Error(part("faultstring") ?? `HTTP ${response.status}`);
  return new URL(part("serverUrl")).host;
}

try {
  console.log(`${username} is logged in to ${await login(username, password + token)}`);
} catch (error) {
  console.error(error.message);
  process.exitCode = 1;
}
