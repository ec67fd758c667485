import { t, word } from "../i18n";
import { count, share } from "../numbers";
import { size } from "./amounts";
import { Sheet, useLoaded } from "./loading";
import { admin, type Network } from "./requests";

/** The networks with their cards: what each is for, where it comes from, and how good it was found to be. */
export function Networks() {
  const loaded = useLoaded(admin.networks);
  return (
    <Sheet title={t("networks.title")} hint={t("networks.hint")} count={loaded.data?.length} loaded={loaded} testid="networks">
      {loaded.data?.map((one) => (
        <Card key={one.name} one={one} />
      ))}
    </Sheet>
  );
}

function Card({ one }: { one: Network }) {
  const facts: [string, string][] = [
    [t("networks.reads"), one.input],
    [t("networks.labels"), one.labels.length > 8 ? t("networks.labels.many", { n: one.labels.length }) : one.labels.join(", ")],
    [t("networks.latency"), `${one.latency_ms} ms · ${one.latency_on}`],
    [t("networks.licence"), one.licence],
    [t("networks.origin"), one.origin],
    [t("networks.file"), `${one.file} · ${size(one.bytes)}`],
    ["SHA-256", one.sha256],
  ];
  return (
    <details class="network" open={one.present} data-testid="network" data-name={one.name} data-present={one.present}>
      <summary>
        <strong>{one.name}</strong> <span class="tag">{one.head === "crop" ? t("networks.crop") : t("networks.detector")}</span>{" "}
        <span class={one.present ? "dim" : "lost-text"}>{t(one.present ? "networks.present" : "networks.absent")}</span>
      </summary>
      {!one.present && (
        <p class="dim">
          {t("networks.fetch")} <code>gridpatrol models fetch {one.name}</code>
        </p>
      )}
      <p class="network-about">{one.about.trim()}</p>
      <dl class="facts">
        {facts.map(([name, value]) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd>{value}</dd>
          </div>
        ))}
      </dl>
      {one.accuracy.length > 0 && (
        <table class="table compact">
          <caption>{t("networks.accuracy")}</caption>
          <thead>
            <tr>
              <th scope="col">{t("networks.data")}</th>
              <th scope="col">{t("networks.label")}</th>
              <th scope="col">{t("networks.height")}</th>
              <th scope="col" class="right">
                {t("networks.found")}
              </th>
              <th scope="col" class="right">
                {t("networks.wrong")}
              </th>
              <th scope="col" class="right">
                {t("networks.count")}
              </th>
            </tr>
          </thead>
          <tbody>
            {one.accuracy.map((row) => (
              <tr key={`${row.data} ${row.label} ${row.height}`}>
                <td>{row.data}</td>
                <td>{word("networks.of", row.label)}</td>
                <td class="num">{row.height === "all" ? t("networks.all") : `${row.height} px`}</td>
                <td class="num right">{share(row.recall)}</td>
                <td class="num right">{share(row.false)}</td>
                <td class="num right">{count(row.count)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
    </details>
  );
}
