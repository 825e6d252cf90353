using System.Text.Json.Nodes;
using Inferloop.Sandbox.Runtime;
using Inferloop.Sandbox.Services.Iam;

namespace Inferloop.Sandbox.Services.Organizations;

/// <content>The accounts of an organization. One that is made has a role by which its management account gets in.</content>
internal sealed partial class OrganizationsService
{
    private const int MaximumAccounts = 10;

    /// <summary>The management account of each account that an organization made.</summary>
    private Collection Members => Runtime.Collection(ModelName, "members", "", "");

    private Collection Accounts(RequestContext context) => Runtime.Collection(ModelName, "accounts", context.AccountId, "");

    private Collection Creations(RequestContext context) => Runtime.Collection(ModelName, "creations", context.AccountId, "");

    /// <summary>Whether the sandbox holds an account: what is not there in it does not exist.</summary>
    public bool Holds(string account) => account == Runtime.Options.AccountId || Members.Contains(account);

    private void AddAccounts()
    {
        OnManagement("ListAccounts", (context, input) => Page(input, All(context, static _ => true), "Accounts"));
        OnManagement("ListAccountsForParent", (context, input) =>
        {
            var parent = Parent(context, input.Required("ParentId"));
            return Page(input, All(context, account => account.Text("_Parent") == parent), "Accounts");
        });
        OnManagement("DescribeAccount", (context, input) => new JsonObject { ["Account"] = Find(context, input.Required("AccountId")) });
        OnManagement("CreateAccount", CreateAccount);
        OnManagement("DescribeCreateAccountStatus", (context, input) => new JsonObject
        {
            ["CreateAccountStatus"] = Creations(context).Get(input.Required("CreateAccountRequestId"))
                ?? throw new ServiceFault("CreateAccountStatusNotFoundException", "We can't find a create account request with the CreateAccountRequestId that you specified."),
        });
        OnManagement("ListCreateAccountStatus", (context, input) =>
        {
            var states = input.Texts("States");
            return Page(input, Creations(context).Where(item => states.Count == 0 || states.Contains(item.Required("State"))), "CreateAccountStatuses");
        });
        OnManagement("MoveAccount", (context, input) =>
        {
            var account = Find(context, input.Required("AccountId"));
            var (from, to) = (input.Required("SourceParentId"), input.Required("DestinationParentId"));
            if (account.Text("_Parent") != from)
            {
                throw new ServiceFault("SourceParentNotFoundException", "We can't find a source root or OU with the ParentId that you specified.");
            }
            if (to != RootId(context) && !Units(context).Contains(to))
            {
                throw new ServiceFault("DestinationParentNotFoundException", "We can't find the destination container (a root or OU) with the ParentId that you specified.");
            }
            Put(context, account.With("_Parent", to));
            return [];
        });
    }

    /// <summary>An operation that the management account alone may call.</summary>
    private void OnManagement(string operation, Func<RequestContext, JsonObject, JsonObject> handler) => On(operation, (context, input) => Members.Contains(context.AccountId)
        ? throw new ServiceFault("AccessDeniedException", "You don't have permissions to access this resource.")
        : handler(context, input));

    private List<JsonObject> All(RequestContext context, Func<JsonObject, bool> condition) => [.. Accounts(context).All().Prepend(Find(context, context.AccountId)).DistinctBy(static account => account.Text("Id")).Where(condition)];

    private JsonObject Find(RequestContext context, string id) => Accounts(context).Get(id) ?? (id == context.AccountId
        ? Account(context).With("_Parent", RootId(context))
        : throw new ServiceFault("AccountNotFoundException", "You specified an account that doesn't exist."));

    private void Put(RequestContext context, JsonObject account) => Accounts(context).Put(account.Required("Id"), account);

    private JsonObject CreateAccount(RequestContext context, JsonObject input)
    {
        var (name, email) = (input.Required("AccountName"), input.Required("Email"));
        if (All(context, static _ => true).Count >= MaximumAccounts)
        {
            throw new ServiceFault("ConstraintViolationException", "You have exceeded the allowed number of AWS accounts.", members: new JsonObject { ["Reason"] = "ACCOUNT_NUMBER_LIMIT_EXCEEDED" });
        }
        Tags.Check(input.Objects("Tags"), "InvalidInputException");
        var request = "car-" + Runtime.Ids.Hex(32);
        var status = new JsonObject { ["Id"] = request, ["AccountName"] = name, ["State"] = "IN_PROGRESS", ["RequestedTimestamp"] = Documents.Time(context.Now) };
        Creations(context).Put(request, status);
        var detached = context.Detached();
        Runtime.After(Durations.AccountCreate, () =>
        {
            if (All(detached, static _ => true).Exists(account => string.Equals(account.Text("Email"), email, StringComparison.OrdinalIgnoreCase)))
            {
                Complete(detached, request, "FAILED", "FailureReason", "EMAIL_ALREADY_EXISTS");
                return;
            }
            var id = Runtime.Ids.Digits(12);
            Members.Put(id, new JsonObject { ["Management"] = detached.AccountId });
            Put(detached, new JsonObject
            {
                ["Id"] = id,
                ["Arn"] = OrganizationArn(detached, $"account/{OrganizationId(detached)}/{id}"),
                ["Email"] = email,
                ["Name"] = name,
                ["Status"] = "ACTIVE",
                ["JoinedMethod"] = "CREATED",
                ["JoinedTimestamp"] = Documents.Time(detached.Now),
                ["_Parent"] = RootId(detached),
                ["_Tags"] = input["Tags"].Copy() ?? new JsonArray(),
            });
            Runtime.Service<IamService>().AddManagementRole(detached.With(id, detached.Region), input.Text("RoleName") ?? "OrganizationAccountAccessRole", detached.AccountId);
            Complete(detached, request, "SUCCEEDED", "AccountId", id);
        });
        return new JsonObject { ["CreateAccountStatus"] = status };
    }

    private void Complete(RequestContext context, string request, string state, string member, string value) => Creations(context).Update(request, document =>
    {
        document["State"] = state;
        document["CompletedTimestamp"] = Documents.Time(context.Now);
        document[member] = value;
    });
}
