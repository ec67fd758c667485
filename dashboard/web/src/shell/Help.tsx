import { Dialog } from "../controls/Dialog";
import { Icon } from "../controls/shapes";
import { t, type Key } from "../i18n";
import { playTest } from "../sound";
import { helpOpen } from "./desk";

const KEYS: readonly (readonly [keys: string, meaning: Key])[] = [
  ["J ↓", "help.next"],
  ["K ↑", "help.previous"],
  ["Enter", "help.open"],
  ["A", "help.acknowledge"],
  ["D D", "help.dispatch"],
  ["1–5", "help.choose"],
  ["F", "help.false"],
  ["V", "help.verify"],
  ["X", "help.close"],
  ["S", "help.shelve"],
  ["P", "help.pause"],
  ["R", "help.reopen"],
  ["N", "help.note"],
  ["C", "help.call"],
  ["O", "help.further"],
  ["M", "help.map"],
  ["L", "help.live"],
  ["Space , .", "help.clip"],
  ["/", "help.command"],
  ["Esc", "help.back"],
  ["?", "help.help"],
];

export function Help() {
  return (
    <Dialog title={t("help.title")} onClose={() => (helpOpen.value = false)} testid="help">
      <dl class="help-keys">
        {KEYS.map(([keys, meaning]) => (
          <div key={meaning}>
            <dt>
              {keys.split(" ").map((one, index) => (
                <kbd key={index} class="key">
                  {one}
                </kbd>
              ))}
            </dt>
            <dd>{t(meaning)}</dd>
          </div>
        ))}
      </dl>
      <button type="button" class="btn" onClick={playTest} data-testid="sound-test-help">
        <Icon name="tone" size={17} />
        {t("sound.test")}
      </button>
    </Dialog>
  );
}
