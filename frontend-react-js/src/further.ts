/**
 * What most first renders do without: the pages that few visits begin with, the forms for texts, and
 * the larger view of pictures, and what every page gets when it is idle. It is a script of its own,
 * which loads later (docs/decisions/0005).
 */

export { CrudForm, ReplyForm } from "./components/CrudForm";
export { Extras } from "./components/Extras";
export { FollowButton } from "./components/FollowButton";
export { FollowingFeed } from "./components/FollowingFeed";
export { LateReport } from "./components/LateReport";
export { MutedNote } from "./components/MutedNote";
export { NewMessage } from "./components/NewMessage";
export { openMenu } from "./components/openMenu";
export { PersonButton } from "./components/PersonMenu";
export { PictureViewer } from "./components/PictureViewer";
export { About } from "./pages/About";
export { Confirm } from "./pages/Confirm";
export { Conversation } from "./pages/Conversation";
export { Forgot } from "./pages/Forgot";
export { Instance } from "./pages/Instance";
export { Messages } from "./pages/Messages";
export { Moderation } from "./pages/Moderation";
export { Notices } from "./pages/Notices";
export { Notifications } from "./pages/Notifications";
export { People } from "./pages/People";
export { Privacy } from "./pages/Privacy";
export { Reset } from "./pages/Reset";
export { Search } from "./pages/Search";
export { Settings } from "./pages/Settings";
export { SignIn } from "./pages/SignIn";
export { SignUp } from "./pages/SignUp";
export { Terms } from "./pages/Terms";
export { applyHidden } from "./queries/hiding";
export { expireMessage } from "./queries/lifetimes";
