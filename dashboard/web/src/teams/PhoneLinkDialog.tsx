import qrcode from "qrcode-generator";
import { useMemo, useState } from "preact/hooks";

import { timeOf } from "../clock";
import { Dialog } from "../controls/Dialog";
import { t } from "../i18n";
import type { PhoneLink, Team } from "../records";
import { inLanguage } from "../state";

/** White border of four modules, as ISO/IEC 18004 asks for. */
const QUIET_MODULES = 4;

/** The one-time link that makes a phone a team's phone, as a picture to scan, a code to read out and a link to copy. */
export function PhoneLinkDialog({ team, link, onClose }: { team: Team; link: PhoneLink; onClose: () => void }) {
  const [copied, setCopied] = useState(false);
  const url = new URL(link.path, location.href).href;
  return (
    <Dialog title={t("teams.phone.title", { team: inLanguage(team.name) })} onClose={onClose} testid="phone-link">
      <div class="phone-link">
        <Qr text={url} />
        <div>
          <p>{t("teams.phone.text", { time: timeOf(link.expires_at).slice(0, 5) })}</p>
          <code data-testid="phone-code">{link.code}</code>
          <div class="phone-link-actions">
            {window.isSecureContext && (
              <button type="button" class="btn" onClick={() => void navigator.clipboard.writeText(url).then(() => setCopied(true))}>
                {t(copied ? "teams.phone.copied" : "teams.phone.copy")}
              </button>
            )}
            <a class="btn" href={link.path} target="_blank" rel="noreferrer" data-testid="phone-open">
              {t("teams.phone.open")}
            </a>
          </div>
        </div>
      </div>
    </Dialog>
  );
}

function Qr({ text }: { text: string }) {
  const { side, path } = useMemo(() => {
    const code = qrcode(0, "M");
    code.addData(text);
    code.make();
    const count = code.getModuleCount();
    let dark = "";
    for (let row = 0; row < count; row += 1) {
      for (let column = 0; column < count; column += 1) {
        if (code.isDark(row, column)) dark += `M${column + QUIET_MODULES} ${row + QUIET_MODULES}h1v1h-1z`;
      }
    }
    return { side: count + 2 * QUIET_MODULES, path: dark };
  }, [text]);
  return (
    <svg class="qr" viewBox={`0 0 ${side} ${side}`} role="img" aria-label={text} shape-rendering="crispEdges">
      <rect width={side} height={side} fill="#fff" />
      <path d={path} fill="#000" />
    </svg>
  );
}
