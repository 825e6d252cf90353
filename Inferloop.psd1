@{
    RootModule           = 'bin/Inferloop.psm1'
    ModuleVersion        = '0.1.0'
    GUID                 = '8f4c1c52-6f0d-4f39-9d0e-5b6f6f1b7a43'
    Author               = 'Inferloop contributors'
    CompanyName          = 'Inferloop'
    Copyright            = '(c) Inferloop contributors. MIT licence.'
    Description          = 'Provision, price, release, scale, watch, secure and recover the Inferloop Synthetic Data platform on AWS, or try it all on a sandbox that the module starts itself.'
    PowerShellVersion    = '7.4'
    CompatiblePSEditions = @('Core')

    FormatsToProcess     = @(
        'bin/Inferloop.Alarm.format.ps1xml'
        'bin/Inferloop.CostEstimate.format.ps1xml'
        'bin/Inferloop.CostRecommendation.format.ps1xml'
        'bin/Inferloop.CostReport.format.ps1xml'
        'bin/Inferloop.Environment.format.ps1xml'
        'bin/Inferloop.EnvironmentSpec.format.ps1xml'
        'bin/Inferloop.Identity.format.ps1xml'
        'bin/Inferloop.Price.format.ps1xml'
        'bin/Inferloop.Release.format.ps1xml'
        'bin/Inferloop.Sandbox.format.ps1xml'
        'bin/Inferloop.Scaling.format.ps1xml'
        'bin/Inferloop.Standby.format.ps1xml'
        'bin/Inferloop.Template.format.ps1xml'
    )
    TypesToProcess       = @('bin/Inferloop.types.ps1xml')

    CmdletsToExport      = @(
        'Add-InferloopSandboxBill'
        'Add-InferloopSandboxFault'
        'Add-InferloopSandboxImage'
        'Approve-InferloopRelease'
        'Compare-InferloopCostEstimate'
        'Compare-InferloopEnvironment'
        'Export-InferloopCostEstimate'
        'Export-InferloopEnvironmentSpec'
        'Export-InferloopTemplate'
        'Format-InferloopCostEstimate'
        'Get-InferloopAlarm'
        'Get-InferloopBudget'
        'Get-InferloopCostEstimate'
        'Get-InferloopCostRecommendation'
        'Get-InferloopCostReport'
        'Get-InferloopDrift'
        'Get-InferloopEnvironment'
        'Get-InferloopEnvironmentComponent'
        'Get-InferloopEnvironmentEvent'
        'Get-InferloopIdentity'
        'Get-InferloopPrice'
        'Get-InferloopRelease'
        'Get-InferloopSandbox'
        'Get-InferloopSandboxFault'
        'Get-InferloopSandboxLoad'
        'Get-InferloopSandboxRequest'
        'Get-InferloopScaling'
        'Get-InferloopStandby'
        'Import-InferloopEnvironmentSpec'
        'Import-InferloopResource'
        'Measure-InferloopCostAccuracy'
        'Measure-InferloopScaling'
        'New-InferloopEnvironment'
        'New-InferloopEnvironmentSpec'
        'New-InferloopStandby'
        'Publish-InferloopRelease'
        'Remove-InferloopEnvironment'
        'Remove-InferloopSandboxFault'
        'Remove-InferloopStandby'
        'Resume-InferloopEnvironment'
        'Set-InferloopBudget'
        'Set-InferloopEnvironment'
        'Set-InferloopSandboxLoad'
        'Set-InferloopScaling'
        'Start-InferloopSandbox'
        'Stop-InferloopRelease'
        'Stop-InferloopSandbox'
        'Test-InferloopCostEstimate'
        'Test-InferloopEnvironment'
        'Test-InferloopEnvironmentSpec'
        'Test-InferloopTemplate'
        'Undo-InferloopRelease'
        'Update-InferloopPriceCatalog'
        'Wait-InferloopEnvironment'
    )
    FunctionsToExport    = @()
    VariablesToExport    = @()
    AliasesToExport      = @()

    PrivateData          = @{
        PSData = @{
            Tags       = @('AWS', 'CloudFormation', 'ECS', 'EKS', 'Infrastructure', 'DevOps', 'Cost', 'PSEdition_Core', 'Windows', 'Linux', 'MacOS')
            LicenseUri = 'https://opensource.org/license/mit'
        }
    }
}
