/** The pages that few visits begin with. They are a script of their own, which loads later. */

export { About } from "./About";
export { Confirm } from "./Confirm";
export { Conversation } from "./Conversation";
export { Forgot } from "./Forgot";
export { Messages } from "./Messages";
export { Notifications } from "./Notifications";
export { Privacy } from "./Privacy";
export { Reset } from "./Reset";
export { Search } from "./Search";
export { Settings } from "./Settings";
export { SignIn } from "./SignIn";
export { SignUp } from "./SignUp";
export { Terms } from "./Terms";
