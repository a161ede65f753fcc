/** The pages of the web interface that settings stand on, as the vendor's manuals name them. */
export const SIP = 'Basic Settings > SIP';
export const FEATURES = 'Basic Settings > Features';
export const MULTICAST = 'Basic Settings > Multicast';
export const RING_EXTENSIONS = 'Additional Features > More Ring Extensions';
export const NETWORK = 'Advanced Settings > Network';
export const ADMIN = 'Advanced Settings > Admin';
export const TIME = 'Advanced Settings > Time';
export const PROVISIONING = 'Advanced Settings > Provisioning';
export const ADVANCED_AUDIO = 'Advanced Settings > Advanced Audio';
export const ADVANCED_SIP = 'Advanced Settings > Advanced SIP';
export const MAINTENANCE = 'System > Maintenance';
