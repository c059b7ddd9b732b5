# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The WSDL that a serviceability service gives for `?wsdl`, written from one table of its types and operations.

A type is a list of `name:type` with a sign behind it: `?` may be nil, `*` any number, `+` at least one. Names without
a prefix that XML Schema does not know are types of the table. Elements, types and their order are those that Cisco
publishes for these services.
"""

from __future__ import annotations

from dataclasses import dataclass

NAMESPACE = "http://schemas.cisco.com/ast/soap"
_XSD = frozenset({"string", "boolean", "unsignedInt", "integer", "long", "byte", "base64Binary"})
_SIGNS = {"?": 'nillable="true"', "*": 'minOccurs="0" maxOccurs="unbounded"', "+": 'maxOccurs="unbounded"', "": ""}


@dataclass(frozen=True)
class Description:
    """One service: names of its parts, operations as (request element, response element), and its schema."""

    service: str
    port: str
    port_type: str
    binding: str
    operations: dict[str, tuple[str, str]]
    #: global element -> its content, or "=type" where it has a simple one
    elements: dict[str, str]
    types: dict[str, str]
    enumerations: dict[str, str]
    #: complex types that hold a text alone: clients meet them as objects with a value
    texts: tuple[str, ...] = ()


def text(description: Description, address: str) -> str:
    """The WSDL of a service at this address."""
    operations = description.operations.items()
    messages = "".join(
        f'<wsdl:message name="{name}{end}"><wsdl:part name="parameters" element="tns:{element}"/></wsdl:message>'
        for name, pair in operations
        for end, element in zip(("Request", "Response"), pair, strict=True)
    )
    port_type = "".join(
        f'<wsdl:operation name="{name}"><wsdl:input message="tns:{name}Request"/>'
        f'<wsdl:output message="tns:{name}Response"/></wsdl:operation>'
        for name, _pair in operations
    )
    literal = '<soap:body use="literal"/>'
    bound = "".join(
        f'<wsdl:operation name="{name}"><soap:operation soapAction="{name}"/><wsdl:input>{literal}</wsdl:input>'
        f"<wsdl:output>{literal}</wsdl:output></wsdl:operation>"
        for name, _pair in operations
    )
    return (
        "<?xml version='1.0' encoding='UTF-8'?>"
        f'<wsdl:definitions xmlns:wsdl="http://schemas.xmlsoap.org/wsdl/" xmlns:tns="{NAMESPACE}" '
        'xmlns:soap="http://schemas.xmlsoap.org/wsdl/soap/" xmlns:xsd="http://www.w3.org/2001/XMLSchema" '
        f'targetNamespace="{NAMESPACE}"><wsdl:types>{_schema(description)}</wsdl:types>{messages}'
        f'<wsdl:portType name="{description.port_type}">{port_type}</wsdl:portType>'
        f'<wsdl:binding name="{description.binding}" type="tns:{description.port_type}">'
        f'<soap:binding style="document" transport="http://schemas.xmlsoap.org/soap/http"/>{bound}</wsdl:binding>'
        f'<wsdl:service name="{description.service}"><wsdl:port name="{description.port}" '
        f'binding="tns:{description.binding}"><soap:address location="{address}"/></wsdl:port></wsdl:service>'
        "</wsdl:definitions>"
    )


def _schema(description: Description) -> str:
    elements = "".join(_global(name, content) for name, content in description.elements.items())
    types = "".join(
        f'<xsd:complexType name="{name}">{_sequence(content)}</xsd:complexType>'
        for name, content in description.types.items()
    )
    types += "".join(
        f'<xsd:complexType name="{name}"><xsd:simpleContent><xsd:extension base="xsd:string"/></xsd:simpleContent>'
        "</xsd:complexType>"
        for name in description.texts
    )
    enumerations = "".join(
        f'<xsd:simpleType name="{name}"><xsd:restriction base="xsd:string">'
        + "".join(f'<xsd:enumeration value="{value}"/>' for value in values.split())
        + "</xsd:restriction></xsd:simpleType>"
        for name, values in description.enumerations.items()
    )
    head = f'<xsd:schema elementFormDefault="qualified" targetNamespace="{NAMESPACE}">'
    return f"{head}{elements}{types}{enumerations}</xsd:schema>"


def _global(name: str, content: str) -> str:
    if content.startswith("="):
        return f'<xsd:element name="{name}" type="{_qualified(content[1:])}"/>'
    return f'<xsd:element name="{name}"><xsd:complexType>{_sequence(content)}</xsd:complexType></xsd:element>'


def _sequence(content: str) -> str:
    return f"<xsd:sequence>{''.join(map(_member, content.split()))}</xsd:sequence>"


def _member(member: str) -> str:
    name, kind = member.split(":")
    bare = kind.rstrip("?*+")
    return f'<xsd:element name="{name}" type="{_qualified(bare)}" {_SIGNS[kind[len(bare) :]]}/>'


def _qualified(kind: str) -> str:
    return f"xsd:{kind}" if kind in _XSD else f"tns:{kind}"


def _same(*names: str) -> dict[str, tuple[str, str]]:
    return {name: (name, f"{name}Response") for name in names}


_RIS_OPERATIONS = {
    **_same("selectCmDevice", "selectCtiItem"),
    # The vendor's own: the extended selection answers with the plain one's elements.
    "selectCmDeviceExt": ("selectCmDeviceExt", "selectCmDeviceResponse"),
}
_CM_REQUEST = "StateInfo:string CmSelectionCriteria:CmSelectionCriteria"
RIS = Description(
    "RISService70", "RisPort70", "RisPortType", "RisBinding", _RIS_OPERATIONS,
    elements={
        "selectCmDevice": _CM_REQUEST,
        "selectCmDeviceExt": _CM_REQUEST,
        "selectCmDeviceResponse": "selectCmDeviceReturn:selectCmDeviceReturn",
        "selectCtiItem": "StateInfo:string CtiSelectionCriteria:CtiSelectionCriteria",
        "selectCtiItemResponse": "selectCtiItemReturn:selectCtiItemReturn",
    },
    types={
        "SelectItem": "Item:string?",
        "ArrayOfSelectItem": "item:SelectItem*",
        "CmSelectionCriteria": "MaxReturnedDevices:unsignedInt? DeviceClass:string? Model:unsignedInt? Status:string? "
        "NodeName:string? SelectBy:CmSelectBy? SelectItems:ArrayOfSelectItem? Protocol:ProtocolType? "
        "DownloadStatus:DeviceDownloadStatus?",
        "selectCmDeviceReturn": "SelectCmDeviceResult:SelectCmDeviceResult StateInfo:string",
        "SelectCmDeviceResult": "TotalDevicesFound:unsignedInt? CmNodes:ArrayOfCmNode?",
        "ArrayOfCmNode": "item:CmNode*",
        "CmNode": "ReturnCode:RisReturnCode? Name:string? NoChange:boolean CmDevices:ArrayOfCmDevice?",
        "ArrayOfCmDevice": "item:CmDevice*",
        "CmDevice": "Name:string? DirNumber:string? DeviceClass:DeviceClass? Model:unsignedInt? Product:unsignedInt? "
        "BoxProduct:unsignedInt? Httpd:CmDevHttpd? RegistrationAttempts:unsignedInt? IsCtiControllable:boolean "
        "LoginUserId:string? Status:CmDevRegStat? StatusReason:unsignedInt? PerfMonObject:unsignedInt? "
        "DChannel:unsignedInt? Description:string? H323Trunk:H323Trunk? TimeStamp:unsignedInt? Protocol:ProtocolType? "
        "NumOfLines:unsignedInt? LinesStatus:ArrayOfCmDevSingleLineStatus? ActiveLoadID:string? InactiveLoadID:string? "
        "DownloadStatus:DeviceDownloadStatus? DownloadFailureReason:string? DownloadServer:string? "
        "IPAddress:ArrayOfIPAddressArrayType",
        "CmDevSingleLineStatus": "DirectoryNumber:string? Status:CmSingleLineStatus?",
        "ArrayOfCmDevSingleLineStatus": "item:CmDevSingleLineStatus*",
        "IPAddressArrayType": "IP:string IPAddrType:IPAddrType Attribute:AttributeType?",
        "ArrayOfIPAddressArrayType": "item:IPAddressArrayType*",
        "H323Trunk": "ConfigName:string? TechPrefix:string? Zone:string? RemoteCmServer1:string? "
        "RemoteCmServer2:string? RemoteCmServer3:string? AltGkList:string? ActiveGk:string? CallSignalAddr:string? "
        "RasAddr:string?",
        "SelectAppItem": "AppItem:string?",
        "ArrayOfSelectAppItem": "item:SelectAppItem*",
        "SelectDevName": "DevName:string?",
        "ArrayOfSelectDevName": "item:SelectDevName*",
        "SelectDirNumber": "DirNumber:string?",
        "ArrayOfSelectDirNumber": "item:SelectDirNumber*",
        "CtiSelectionCriteria": "MaxReturnedItems:unsignedInt? CtiMgrClass:CtiMgrClass? Status:CtiStatus? "
        "NodeName:string? SelectAppBy:CtiSelectAppBy? AppItems:ArrayOfSelectAppItem? DevNames:ArrayOfSelectDevName? "
        "DirNumbers:ArrayOfSelectDirNumber?",
        "selectCtiItemReturn": "SelectCtiItemResult:SelectCtiItemResult StateInfo:string",
        "SelectCtiItemResult": "TotalItemsFound:unsignedInt? CtiNodes:ArrayOfCtiNode?",
        "ArrayOfCtiNode": "item:CtiNode*",
        "CtiNode": "ReturnCode:RisReturnCode? Name:string? NoChange:boolean CtiItems:ArrayOfCtiItem?",
        "ArrayOfCtiItem": "item:CtiItem*",
        "CtiItem": "AppId:string? UserId:string? AppIpAddr:string? AppIpv6Addr:string? AppStatus:CtiStatus? "
        "AppStatusReason:unsignedInt? AppTimeStamp:unsignedInt? CtiDevice:CtiDevice? CtiLine:CtiLine?",
        "CtiDevice": "AppControlsMedia:boolean? DeviceName:string? DeviceStatus:CtiStatus? "
        "DeviceStatusReason:unsignedInt? DeviceTimeStamp:unsignedInt?",
        "CtiLine": "DirNumber:string? LineStatus:CtiStatus? LineStatusReason:unsignedInt? LineTimeStamp:unsignedInt?",
    },
    enumerations={
        "CmSelectBy": "Name IPV4Address IPV6Address DirNumber Description",
        "ProtocolType": "Any SCCP SIP Unknown",
        "DeviceDownloadStatus": "Any Upgrading Successful Failed Unknown",
        "RisReturnCode": "Ok NotFound InvalidRequest InternalError NodeNotResponding InvalidNodeName",
        "DeviceClass": "Any Phone Gateway H323 Cti VoiceMail MediaResources SIPTrunk HuntList Unknown",
        "CmDevHttpd": "Yes No Unknown",
        "CmDevRegStat": "Any Registered UnRegistered Rejected PartiallyRegistered Unknown",
        "CmSingleLineStatus": "Any Registered UnRegistered Rejected Unknown",
        "IPAddrType": "ipv4 ipv6",
        "AttributeType": "Unknown Adminstrative Signaling AdministrativeAndSignaling",
        "CtiMgrClass": "Provider Device Line",
        "CtiStatus": "Any Open Closed OpenFailed Unknown",
        "CtiSelectAppBy": "AppId AppIPV4Address AppIPV6Address UserId",
    },
)  # fmt: skip

_STATES = "ReturnCode:ReturnCode? ReasonCode:integer? ReasonString:string? ServiceInfoList:ArrayOfServiceInformation?"
CONTROL_CENTER = Description(
    "ControlCenterServices", "ControlCenterServicesPort", "ControlCenterServicesPortType",
    "ControlCenterServicesBinding",
    _same("soapGetStaticServiceList", "soapGetServiceStatus", "soapDoServiceDeployment", "soapDoControlServices",
          "getProductInformationList"),
    elements={
        "soapGetStaticServiceList": "ServiceInformationResponse:string",
        "soapGetStaticServiceListResponse": "soapGetStaticServiceListReturn:StaticServiceList",
        "soapGetServiceStatus": "ServiceStatus:string+",
        "soapGetServiceStatusResponse": "soapGetServiceStatusReturn:ServiceInformationResponse",
        "soapDoServiceDeployment": "DeploymentServiceRequest:DeploymentServiceRequest",
        "soapDoServiceDeploymentResponse": "soapDoServiceDeploymentReturn:ServiceInformationResponse",
        "soapDoControlServices": "ControlServiceRequest:ControlServiceRequest",
        "soapDoControlServicesResponse": "soapDoControlServicesReturn:ServiceInformationResponse",
        "getProductInformationList": "ServiceInfo:string",
        "getProductInformationListResponse": "getProductInformationListReturn:GetProductInformationListResponse",
    },
    types={
        "DependentServices": "Service:string*",
        "ArrayOfServices": "item:string*",
        "ServiceSpecification": "ServiceName:string? ServiceType:ServiceTypes? Deployable:boolean GroupName:string? "
        "DependentServices:DependentServices?",
        "ArrayOfServiceSpecification": "item:ServiceSpecification*",
        "StaticServiceList": "Services:ArrayOfServiceSpecification?",
        "ServiceInformation": "ServiceName:string? ServiceStatus:ServiceStatus? ReasonCode:integer? "
        "ReasonCodeString:string? StartTime:string? UpTime:integer?",
        "ArrayOfServiceInformation": "item:ServiceInformation*",
        "ServiceInformationResponse": _STATES,
        "DeploymentServiceRequest": "NodeName:string? DeployType:DeployType? ServiceList:ArrayOfServices?",
        "ControlServiceRequest": "NodeName:string? ControlType:ControlType? ServiceList:ArrayOfServices?",
        "InstalledProduct": "ProductName:string? ProductVersion:string? ProductDescription:string? ProductID:string? "
        "ShortName:string?",
        "ArrayOfInstalledProduct": "item:InstalledProduct*",
        "ProductServiceSpecification": "ServiceName:string? ServiceType:ServiceTypes? Deployable:boolean "
        "GroupName:string? ProductID:string? DependentServices:DependentServices?",
        "ArrayOfProductServiceSpecification": "item:ProductServiceSpecification*",
        "GetProductInformationListResponse": "ActiveServerVersion:string? PrimaryNode:string? SecondaryNode:string? "
        "Products:ArrayOfInstalledProduct? Services:ArrayOfProductServiceSpecification?",
    },
    enumerations={
        "ServiceTypes": "Service Servlet",
        "ServiceStatus": "Started Stopped Starting Stopping Unknown",
        "DeployType": "Deploy UnDeploy",
        "ControlType": "Start Stop Restart",
    },
    texts=("ReturnCode",),
)  # fmt: skip

_STRINGS = "ServiceName:string? ServiceType:ServiceTypes? Deployable:boolean GroupName:string? ProductID:string? "
CONTROL_CENTER_EX = Description(
    "ControlCenterServicesEx", "ControlCenterServicesExPort", "ControlCenterServicesExPortType",
    "ControlCenterServicesExBinding",
    _same("getFileDirectoryList", "getStaticServiceListExtended", "soapDoControlServicesEx"),
    elements={
        "getFileDirectoryList": "DirectoryPath:string",
        "getFileDirectoryListResponse": "getFileDirectoryListReturn:FileDirectoryList",
        "getStaticServiceListExtended": "ServiceInformationResponse:string",
        "getStaticServiceListExtendedResponse": "getStaticServiceListExtendedReturn:StaticServiceListExtended",
        "soapDoControlServicesEx": "ControlServiceExRequest:ControlServiceExRequest",
        "soapDoControlServicesExResponse": "soapDoControlServicesExReturn:ServiceInformationResponse",
    },
    types={
        "FileDirectoryList": "ListOfFiles:ArrayOfFiles?",
        "ArrayOfFiles": "File:string*",
        "ArrayOfServices": "item:string*",
        "DependentServices": "Service:string*",
        "ServiceSpecificationExtended": f"{_STRINGS}Restrict:string? DependentServices:DependentServices?",
        "ArrayOfServiceSpecificationExtended": "item:ServiceSpecificationExtended*",
        "StaticServiceListExtended": "ReturnCode:ReturnCode? ReasonCode:integer? ReasonString:string? "
        "Services:ArrayOfServiceSpecificationExtended?",
        "ControlServiceExRequest": "ProductId:string? DependencyType:string? ControlType:ControlType? "
        "ServiceList:ArrayOfServices?",
        "ServiceInformation": CONTROL_CENTER.types["ServiceInformation"],
        "ArrayOfServiceInformation": "item:ServiceInformation*",
        "ServiceInformationResponse": _STATES,
    },
    enumerations={
        name: CONTROL_CENTER.enumerations[name] for name in ("ServiceTypes", "ServiceStatus", "ControlType")
    },
    texts=("ReturnCode",),
)  # fmt: skip

_COUNTERS = "SessionHandle:SessionHandleType ArrayOfCounter:RequestArrayOfCounterType"
PERFMON = Description(
    "PerfmonService", "PerfmonPort", "PerfmonPortType", "PerfmonBinding",
    _same("perfmonOpenSession", "perfmonAddCounter", "perfmonRemoveCounter", "perfmonCollectSessionData",
          "perfmonCloseSession", "perfmonListInstance", "perfmonQueryCounterDescription", "perfmonListCounter",
          "perfmonCollectCounterData"),
    elements={
        "perfmonOpenSession": "",
        "perfmonOpenSessionResponse": "perfmonOpenSessionReturn:SessionHandleType",
        "perfmonAddCounter": _COUNTERS,
        "perfmonAddCounterResponse": "",
        "perfmonRemoveCounter": _COUNTERS,
        "perfmonRemoveCounterResponse": "",
        "perfmonCollectSessionData": "SessionHandle:SessionHandleType",
        "perfmonCollectSessionDataResponse": "perfmonCollectSessionDataReturn:CounterInfoType*",
        "perfmonCloseSession": "SessionHandle:SessionHandleType",
        "perfmonCloseSessionResponse": "",
        "perfmonListInstance": "Host:string Object:ObjectNameType",
        "perfmonListInstanceResponse": "perfmonListInstanceReturn:InstanceType*",
        "perfmonQueryCounterDescription": "Counter:CounterNameType",
        "perfmonQueryCounterDescriptionResponse": "perfmonQueryCounterDescriptionReturn:string?",
        "perfmonListCounter": "Host:string",
        "perfmonListCounterResponse": "perfmonListCounterReturn:ObjectInfoType+",
        "perfmonCollectCounterData": "Host:string Object:ObjectNameType",
        "perfmonCollectCounterDataResponse": "perfmonCollectCounterDataReturn:CounterInfoType*",
    },
    types={
        "CounterType": "Name:CounterNameType?",
        "RequestArrayOfCounterType": "Counter:CounterType+",
        "CounterInfoType": "Name:CounterNameType? Value:long CStatus:unsignedInt",
        "InstanceType": "Name:InstanceNameType?",
        "ArrayOfCounterType": "item:CounterType*",
        "ObjectInfoType": "Name:ObjectNameType? MultiInstance:boolean ArrayOfCounter:ArrayOfCounterType?",
    },
    enumerations={},
    texts=("CounterNameType", "SessionHandleType", "ObjectNameType", "InstanceNameType"),
)  # fmt: skip

LOG_COLLECTION = Description(
    "LogCollectionPortTypeService", "LogCollectionPort", "LogCollectionPortTypeServicePortType",
    "LogCollectionPortSoapBinding",
    {
        **_same("listNodeServiceLogs", "selectLogFiles"),
        "GetOneFile": ("FileName", "GetOneFileReturn"),
        "getTimeZone": ("LocalHost", "TimeZone"),
    },
    elements={
        "FileName": "=string",
        "GetOneFileReturn": "=base64Binary",
        "LocalHost": "=string",
        "TimeZone": "=string",
        "listNodeServiceLogs": "ListRequest:ListRequest",
        "listNodeServiceLogsResponse": "listNodeServiceLogsReturn:NodeServiceLogList+",
        "selectLogFiles": "FileSelectionCriteria:SchemaFileSelectionCriteria",
        "selectLogFilesResponse": "ResultSet:ResultSet",
    },
    types={
        "NodeServiceLogList": "name:string? ServiceLog:ArrayOfServiceLog? SystemLog:ArrayOfSystemLog?",
        "ArrayOfServiceLog": "item:string*",
        "ArrayOfSystemLog": "item:string*",
        "SchemaFileSelectionCriteria": "ServiceLogs:ArrayOfServiceLog? SystemLogs:ArrayOfSystemLog? SearchStr:string? "
        "Frequency:Frequency? JobType:JobType? ToDate:string? FromDate:string? TimeZone:string? RelText:RelText? "
        "RelTime:byte Port:byte IPAddress:string? UserName:string? Password:string? ZipInfo:boolean "
        "RemoteFolder:string?",
        "File": "name:string? absolutepath:string? filesize:string? modifiedDate:string?",
        "ArrayOfFile": "File:File*",
        "ServiceLogs": "name:string? SetOfFiles:ArrayOfFile?",
        "ArrayOfServiceLogs": "ServiceLogs:ServiceLogs*",
        "Node": "name:string? ServiceList:ArrayOfServiceLogs?",
        "SchemaFileSelectionResult": "Node:Node?",
        "ResultSet": "SchemaFileSelectionResult:SchemaFileSelectionResult",
    },
    enumerations={
        "Frequency": "OnDemand Weekly Monthly Daily",
        "JobType": "DownloadtoClient PushtoSFTPServer",
        "RelText": "None Minutes Hours Weeks Months Days",
    },
    texts=("ListRequest",),
)  # fmt: skip
