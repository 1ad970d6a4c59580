/** Every limit on what comes from outside, the unit in its name. ServiceProviderConfig tells the SCIM ones. */

export const limits = {
  /** Body of one request: 8,000 members of a group are about 400 KiB. */
  bodyBytesMax: 4 * 1024 * 1024,
  /** Characters of a `filter`. */
  filterLengthMax: 4096,
  /** Nesting of parentheses and brackets in a `filter`. */
  filterDepthMax: 16,
  /** Comparisons in one `filter`. */
  filterTermsMax: 64,
  /** Operations in one PATCH: authentik sends one a member. */
  patchOperationsMax: 10_000,
  /** Member ids in one request. */
  membersPerRequestMax: 50_000,
  /** Members of groups that an answer reads at a time. */
  membersPerPage: 5000,
  /** Elements of one multi-valued attribute of a user. */
  valuesPerAttributeMax: 500,
  /** Characters of one attribute value. */
  valueLengthMax: 65_536,
  /** Characters of a user or a group as JSON, members left out: what many requests add to one resource comes to. */
  resourceLengthMax: 256 * 1024,
  /** Bytes of a value that is looked up, in lower case: an index of PostgreSQL takes no row over 2,700. */
  keyBytesMax: 2048,
  /** Characters of one part of a path: more than a head of a request can hold, so that each is read. */
  pathPartLengthMax: 65_536,
  /** Nesting of objects and arrays in a JSON body. */
  jsonDepthMax: 16,
  /** Resources on one page (`filter.maxResults` of ServiceProviderConfig). */
  pageSizeMax: 1000,
  pageSizeDefault: 100,
  /** Bytes of the resources on one page: of larger ones it shows fewer. */
  pageBytesMax: 16 * 1024 * 1024,
  /** Characters of large answers to one token that wait to be read. */
  unreadAnswersLengthMax: 64 * 1024 * 1024,
  /** Characters of a paging cursor: a value that is looked up fits, also one that is longer in upper case. */
  cursorLengthMax: 10_000,
  /** A search that has to look at every resource ends after this. */
  searchMsMax: 5000,
  /** Operations in one Bulk request. */
  bulkOperationsMax: 1000,
  /** Extension schemas of a tenant, and attributes in one. */
  extensionSchemasMax: 20,
  attributesPerSchemaMax: 100,
  subAttributesMax: 30,
  /** Characters of all definitions of a tenant's extension schemas together, as JSON. */
  schemasLengthMax: 1024 * 1024,
  /** Characters of extension schemas that a process remembers, of all tenants. */
  schemasRememberedLengthMax: 16 * 1024 * 1024,
  /** Members of a tenant's groups that wait for their people. */
  parkedMembersMax: 100_000,
  /** How long a creation whose answer was lost is answered again; the database's `find_leftovers` knows it too. */
  lostAnswerMs: 10 * 60_000,
  /** Names in `attributes` or `excludedAttributes`. */
  projectionNamesMax: 200,
  /** Rows on one page of the admin API. */
  listLimitMax: 200,
  listLimitDefault: 50,
  /** Body of a request to the token endpoint. */
  tokenRequestBytesMax: 64 * 1024,
  /** Characters of a client's assertion (RFC 7523): Entra's have about 1,500. */
  assertionLengthMax: 16 * 1024,
  /** An assertion that is good for longer is none for signing in. */
  assertionHoursMax: 24,
  /** How far another's clock may be off. */
  clockSkewSecondsMax: 60,
  /** Requests to the token endpoint that one remote address may sustain, and tokens that one client may. */
  tokenRequestsPerSecondAndAddress: 20,
  tokensPerSecondAndClient: 2,
  secretsPerClientMax: 10,
  /** Bytes of a discovery document or key set that are read, and how long each pair of them is waited for. */
  issuerDocumentBytesMax: 256 * 1024,
  issuerMsMax: 5000,
  /** Keys of one issuer that are kept, issuers whose keys are kept, and issuers that are asked at a time, of one tenant too. */
  keysPerIssuerMax: 64,
  issuersMax: 500,
  issuersAskedAtOnceMax: 50,
  issuersAskedPerTenantMax: 5,
  /** Bytes of a SAML response, decoded; it is posted as a third more. */
  samlBytesMax: 256 * 1024,
  /** Elements of a SAML document and their nesting: reading a signed one costs more than it has bytes. */
  samlElementsMax: 2500,
  samlDepthMax: 32,
  samlAttributesMax: 200,
  /** Values of one attribute: Entra ends at 150 groups, others send all. */
  samlValuesMax: 2000,
  samlCertificatesMax: 5,
  /** Documents of an OpenID provider, how long it may take to answer, and how long what it says of itself is taken for true. */
  oidcDocumentBytesMax: 512 * 1024,
  oidcMsMax: 5000,
  oidcFreshMs: 10 * 60_000,
  /** For how long that, and keys of issuers, are used on where they can't be read anew. */
  issuerKeptMsMax: 60 * 60_000,
  oidcProvidersMax: 500,
  /** Characters of what comes back to the callback, and of a logout token. */
  oidcAnswerLengthMax: 8000,
  oidcScopesMax: 20,
  /** Metadata that is fetched: its bytes, and how long it may take. */
  metadataBytesMax: 1024 * 1024,
  metadataMsMax: 10_000,
  /** Its cacheDuration counts between these; without one it is fetched daily. */
  metadataMinutesMin: 5,
  metadataMinutesMax: 24 * 60,
  /** After a failure it is fetched again within this. */
  metadataRetryMinutesMax: 60,
  /** Sessions that one LogoutRequest names. */
  samlSessionIndexesMax: 100,
  /** Characters of a query that holds a signed message. */
  samlQueryLengthMax: 16 * 1024,
  /** Threads that verify responses, the memory of each, and how long one response may take. */
  samlThreadsMax: 2,
  samlThreadMegabytesMax: 256,
  samlVerifyMsMax: 3000,
  /** Responses that wait for a thread. */
  samlWaitingPerConnectionMax: 50,
  samlWaitingMax: 500,
  connectionsPerTenantMax: 50,
  connectionTestsPerHourMax: 100,
  connectionTestMsMax: 5000,
  domainsPerTenantMax: 200,
  /** Looks at a domain's records that one tenant may have made in a second, and at once. */
  domainChecksPerSecond: 0.5,
  domainChecksAtOnce: 20,
  /** How long a name server is waited for, how often each is asked, and when that is over. */
  dnsTryMsMax: 2000,
  dnsTriesMax: 2,
  dnsMsMax: 5000,
  /** Records of one name that are looked at. */
  dnsRecordsMax: 100,
  /** A verified domain is looked at again after so long, and stays verified so long without its record. */
  domainCheckHours: 24,
  domainMissingDaysMax: 7,
  /** Groups that a login claims: Entra names at most 200. A longer name than that no mapping has. */
  claimedGroupsMax: 2000,
  claimedGroupLengthMax: 200,
  /** People who wait to be let in, or were refused. */
  accessRequestsPerTenantMax: 10_000,
  /** How long a browser may be away at its identity provider. */
  loginMinutesMax: 10,
  sessionHoursMax: 12,
  signInPlaceDaysMax: 30,
  /** Requests of browsers that sign in which one remote address may sustain: a whole office comes from one at nine. */
  loginsPerSecondAndAddress: 50,
  /** Refused answers that show no signature of the identity provider, which are traced for one connection; the log has the others. */
  untrustedTracesPerSecond: 0.2,
  untrustedTracesAtOnce: 100,
  openIdClientsPerTenantMax: 50,
  /** URIs of each kind that a client of /oidc registers, and characters of one. */
  openIdUrisPerClientMax: 20,
  openIdUriLengthMax: 2000,
  /** Body of a request to /oidc. */
  openIdRequestBytesMax: 64 * 1024,
  /** Requests to /oidc that one remote address may sustain: a client's server asks for all of its people from one. */
  openIdRequestsPerSecondAndAddress: 200,
  openIdAccessTokenMinutes: 10,
  /** How long a code waits for its client. */
  openIdCodeSeconds: 60,
  /** How long a new key is published before it signs, unless an operator says otherwise, and at most. */
  openIdKeyMinutesDefault: 60,
  openIdKeyMinutesMax: 24 * 60,
  /** How long a process goes by the signing keys that it has read. */
  openIdKeysReadMs: 2000,
  /** A client that does not take a logout within this is tried again, so often: a bit more than an hour. */
  openIdLogoutMsMax: 3000,
  openIdLogoutTriesMax: 12,
  openIdLogoutsAtOnceMax: 50,
  /** People in one file that is imported, those written while the seat pool is locked, files of a tenant that are kept, and that wait. */
  importRowsMax: 10_000,
  importRowsPerPart: 50,
  importsKept: 100,
  importsOpenMax: 20,
  /** Characters of one value in it: what is looked up is short enough for an index. */
  importValueLengthMax: 500,
  mappingsPerTenantMax: 5000,
  workspacesPerMappingMax: 200,
  /** Links to workspaces on the page of who is signed in. */
  workspaceLinksMax: 50,
  /** People whom a preview names, of each tenant. */
  previewedUsersMax: 200,
  /** Departments that the plan of a batch counts one by one, and characters of a name by which it tells them apart. */
  departmentsCountedMax: 200,
  departmentLengthMax: 200,
  mappingDraftsPerTenantMax: 100,
  /** The head of the queue is read of each. */
  subPoolsPerTenantMax: 50,
  /** People of a tenant who are left alone. */
  exclusionsMax: 1000,
  /** A deadlock or serialization failure is tried again this often. */
  transactionTriesMax: 5,
  /** People decided for while the seat pool is locked: what comes on top is decided for in batches of so many. */
  peoplePerDecision: 500,
  /** Seats that go to a better claim, or back to the share that lent them, at a time: the others when these are gone. */
  seatsTakenAtOnce: 200,
  /** Requests for one person to join a group that are carried out as one. */
  joinsTogether: 50,
  /**
   * Policy `block` stands as `queue` from so many refusals where they are so much of a directory's writes, or from so many
   * whatever the share: half of what Entra stops provisioning at (5,000 failures and 40 %, or 40,000).
   */
  blockGuardRefusals: 2500,
  blockGuardPercent: 30,
  blockGuardRefusalsAlone: 20_000,
  /** Within one of these: Entra's usual cycle, and a first one, which takes hours. */
  blockGuardMinutes: 40,
  blockGuardMinutesLong: 240,
  /** People whom a cliff names. */
  cliffUsersMax: 200,
  statementMsMax: 15_000,
  /** One call that verifies the audit trail; the next one goes on. */
  auditVerifyMsMax: 10_000,
  /** Bytes of one body of a recorded call that are kept. */
  recordedBodyBytesMax: 16 * 1024,
  /** Nesting of a body that is recorded. */
  recordedDepthMax: 32,
  /** Receivers of signals of a tenant, what each may ask a second, and signals that one poll takes. */
  signalReceiversPerTenantMax: 20,
  signalRequestsPerSecond: 20,
  signalsPerPollMax: 100,
  /** Verifications of one stream that nobody has taken yet. */
  signalVerificationsMax: 10,
  /** Characters of what a receiver writes of its stream. */
  signalUrlLengthMax: 2000,
  signalHeaderLengthMax: 4000,
  signalDescriptionLengthMax: 1000,
  /** A push takes no longer, and is tried again after no longer. */
  signalPushMsMax: 5000,
  signalRestMsMax: 15 * 60_000,
  /** A signal that nobody took by then is given up. */
  signalDaysMax: 7,
  /** Recorded calls of a tenant that are kept, the newest; and as many traces of logins. */
  recordedRequestsPerTenantMax: 500_000,
  /** Recorded calls that wait for the database; what comes on top is dropped and counted. */
  recorderQueueEntriesMax: 5000,
  recorderQueueBytesMax: 16 * 1024 * 1024,
  /** What one flush of the recorder writes at most. */
  recorderBatchEntriesMax: 500,
  recorderBatchBytesMax: 4 * 1024 * 1024,
  /** How long a process that ends waits for the recorder. */
  recorderStopMsMax: 2000,
  /** How long a recorded call is tried again, and locks what it touches. */
  replayMsMax: 5000,
  requestRetentionDaysMax: 365,
  /** Years to which the test clock may be put. */
  clockYearMin: 2000,
  clockYearMax: 2999,
  /** Years of days and times at which something is to happen: what is reckoned from them stays a date too. */
  dateYearMin: 1900,
  dateYearMax: 2999,
  /** Rows that one statement of the housekeeping deletes, and statements for each kind of row, tenant and look. */
  housekeepingRowsPerStatement: 5000,
  housekeepingStatementsPerLook: 4,
  /** Sessions, with all that hangs on each, that one statement ends where a connection's are ended. */
  sessionsEndedPerStatement: 500,
  /** Bytes of an answer from Blue that are read. */
  blueAnswerBytesMax: 16 * 1024 * 1024,
  blueRequestMsMax: 30_000,
  blueMutationsPerRequestMax: 20,
  /** People compared with Blue at a time, after its lists were read. */
  bluePeopleComparedPerPage: 1000,
  /** People whom one call adopts. */
  blueAdoptionsPerCallMax: 200,
  /** Steps that a plan of what would be sent shows. */
  bluePlanStepsMax: 5000,
  /** Tenants that a process carries into Blue at the same time: many, since one whose Blue is silent takes half a minute. */
  blueTenantsAtOnceMax: 50,
  /** People of one sync batch. */
  bluePeoplePerBatchMax: 50,
} as const;
