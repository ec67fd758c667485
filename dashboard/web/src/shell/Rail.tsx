import { lapse, now } from "../clock";
import { Icon, type IconName } from "../controls/shapes";
import { t, type Key } from "../i18n";
import { lang, soundOn, theme } from "../prefs";
import { blocked, playTest, unlockSound } from "../sound";
import { mayDispatch, session, signOut, tab, type Tab } from "../state";
import { link, lostSince } from "../updates";
import { helpOpen } from "./desk";

const TABS: readonly Tab[] = ["room", "wall", "board", "coverage", "cameras", "teams", "reports", "users"];

/** The narrow bar at the left: pages above, one's own choices below. */
export function Rail() {
  const who = session.value?.principal;
  const tabs = TABS.filter((one) => (one !== "users" || who?.role === "administrator") && (one !== "reports" || mayDispatch()));
  return (
    <nav class="rail" aria-label="Gridpatrol">
      <img class="rail-brand" src="/icon.svg" width={28} height={28} alt="Gridpatrol" />
      {tabs.map((one) => (
        <button
          key={one}
          type="button"
          class="rail-tab"
          aria-current={tab.value === one ? "page" : undefined}
          data-testid={`tab-${one}`}
          onClick={() => (tab.value = one)}
        >
          <Icon name={one} size={21} />
          <span>{t(`tab.${one}` as Key)}</span>
        </button>
      ))}
      <div class="rail-gap" />
      <RailTool icon="tone" label={t("sound.test")} onClick={playTest} testid="sound-test" />
      <RailTool
        icon={soundOn.value ? "sound" : "mute"}
        label={t(soundOn.value ? "sound.on" : "sound.off")}
        pressed={!soundOn.value}
        onClick={() => (soundOn.value = !soundOn.value)}
        testid="sound-toggle"
      />
      <RailTool
        icon={theme.value === "dark" ? "sun" : "moon"}
        label={t(theme.value === "dark" ? "rail.theme.light" : "rail.theme.dark")}
        onClick={() => (theme.value = theme.value === "dark" ? "light" : "dark")}
        testid="theme-toggle"
      />
      <button
        type="button"
        class="rail-tool"
        title={t("rail.language.label")}
        aria-label={t("rail.language.label")}
        lang={lang.value === "zh" ? "en" : "zh-CN"}
        data-testid="lang-toggle"
        onClick={() => (lang.value = lang.value === "zh" ? "en" : "zh")}
      >
        {lang.value === "zh" ? "EN" : "中"}
      </button>
      <RailTool icon="help" label={`${t("help.title")} (?)`} onClick={() => (helpOpen.value = true)} testid="help-open" />
      <RailTool
        icon="leave"
        label={`${t("rail.signout")} · ${who?.name ?? ""}`}
        onClick={() => void signOut()}
        testid="sign-out"
      />
    </nav>
  );
}

interface RailToolProps {
  icon: IconName;
  label: string;
  onClick: () => void;
  testid: string;
  pressed?: boolean;
}

function RailTool({ icon, label, onClick, testid, pressed }: RailToolProps) {
  return (
    <button
      type="button"
      class={`rail-tool${pressed ? " off" : ""}`}
      title={label}
      aria-label={label}
      data-testid={testid}
      onClick={onClick}
    >
      <Icon name={icon} size={19} />
    </button>
  );
}

/** What stands across the page: a lost connection, a browser that keeps the alarms silent. */
export function Banners() {
  const lost = lostSince.value;
  return (
    <div class="banners">
      {link.value === "lost" && lost !== null && (
        <div class="banner lost" role="alert" data-testid="banner-lost">
          {t("banner.lost", { time: lapse(now.value - lost) })}
        </div>
      )}
      {blocked.value && soundOn.value && (
        <button type="button" class="banner sound" onClick={unlockSound}>
          <Icon name="mute" size={16} />
          {t("banner.sound")}
        </button>
      )}
    </div>
  );
}
