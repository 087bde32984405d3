import { MembersOnly } from "../components/MembersOnly";
import { PageHead } from "../components/PageHead";
import { FootLinks } from "../components/Sidebar";
import { useMember } from "../queries/session";
import { AccountSection } from "./settings/AccountSection";
import { DevicesSection } from "./settings/DevicesSection";
import { PasswordSection } from "./settings/PasswordSection";
import { PictureSection } from "./settings/PictureSection";
import { ProfileSection } from "./settings/ProfileSection";
import "./Settings.css";

/** The member's own profile, password, devices and account. */
export function Settings() {
  return (
    <>
      <PageHead title="Settings" />
      <MembersOnly why="to change your settings">
        <Sections />
      </MembersOnly>
    </>
  );
}

function Sections() {
  const member = useMember();
  if (member === null) {
    return null;
  }
  return (
    <div className="settings">
      <PictureSection member={member} />
      <ProfileSection member={member} />
      <PasswordSection member={member} />
      <DevicesSection />
      <AccountSection />
      <FootLinks />
    </div>
  );
}
