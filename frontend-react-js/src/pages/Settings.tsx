import { useNavigate } from "react-router";
import { Button } from "../components/Button";
import { MembersOnly } from "../components/MembersOnly";
import { PageHead } from "../components/PageHead";
import { FootLinks } from "../components/Sidebar";
import { t } from "../language/further";
import { useSignOut } from "../queries/accounts";
import { useMember, useSession } from "../queries/session";
import { AccountSection } from "./settings/AccountSection";
import { ApiTokensSection } from "./settings/ApiTokensSection";
import { AppearanceSection } from "./settings/AppearanceSection";
import { DevicesSection } from "./settings/DevicesSection";
import { EmailSection } from "./settings/EmailSection";
import { KeyboardSection } from "./settings/KeyboardSection";
import { LanguageSection } from "./settings/LanguageSection";
import { NoticesLink } from "./settings/NoticesLink";
import { OwnDataSection } from "./settings/OwnDataSection";
import { PasskeysSection } from "./settings/PasskeysSection";
import { PasswordSection } from "./settings/PasswordSection";
import { PictureSection } from "./settings/PictureSection";
import { ProfileSection } from "./settings/ProfileSection";
import { SafetySection } from "./settings/SafetySection";
import { SecondFactorSection } from "./settings/SecondFactorSection";
import "./Settings.css";

/** Sign out, or change one's own profile, password, devices and account. */
export function Settings() {
  const member = useMember();
  const { phase } = useSession();
  return (
    <>
      <PageHead title={t.settings.title}>{member && <SignOut />}</PageHead>
      <MembersOnly why={t.signInTo.settings}>
        <Sections />
      </MembersOnly>
      {phase === "out" && (
        <div className="settings">
          <DeviceChoices />
        </div>
      )}
    </>
  );
}

function SignOut() {
  const signOut = useSignOut();
  const navigate = useNavigate();
  return (
    <Button
      look="outlined"
      busy={signOut.isPending}
      onClick={() =>
        signOut.mutateAsync().then(
          () => void navigate("/"),
          () => undefined, // shown as a notice
        )
      }
    >
      {t.settings.signOut}
    </Button>
  );
}

function Sections() {
  const member = useMember();
  if (member === null) {
    return null;
  }
  return (
    <div className="settings">
      {member.unread_notices > 0 && <NoticesLink unread={member.unread_notices} />}
      <PictureSection member={member} />
      <ProfileSection member={member} />
      <DeviceChoices />
      <EmailSection member={member} />
      <PasswordSection member={member} />
      <SecondFactorSection member={member} />
      <PasskeysSection member={member} />
      <SafetySection />
      <DevicesSection />
      <ApiTokensSection />
      {member.unread_notices === 0 && <NoticesLink unread={0} />}
      <OwnDataSection member={member} />
      <AccountSection />
      <FootLinks />
    </div>
  );
}

/** What is chosen for this device, also by visitors. */
function DeviceChoices() {
  return (
    <>
      <AppearanceSection />
      <LanguageSection />
      <KeyboardSection />
    </>
  );
}
